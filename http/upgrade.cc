// SPDX-License-Identifier: Apache-2.0
#include "http/upgrade.h"

#include "base/ascii.h"
#include "http/http1_grammar.h"

namespace inlay::http {

std::string upgrade_type(const HeaderMap& headers) {
  std::string type;
  for (const auto& entry : headers) {
    if (entry.id != HeaderId::kUpgrade || entry.value.empty()) continue;
    if (!type.empty()) type += ',';
    type += entry.value;
  }
  return type;
}

bool is_upgrade(const HeaderMap& headers) {
  bool listed = false;
  for (const auto& entry : headers) {
    if (entry.id != HeaderId::kConnection) continue;
    for_each_list_element(entry.value,
                          [&](std::string_view option) { listed = listed || equals_ignore_case(option, "upgrade"); });
  }
  return listed && headers.has(HeaderId::kUpgrade) && !equals_ignore_case(upgrade_type(headers), "h2c");
}

bool is_websocket_upgrade(const HeaderMap& headers) {
  return is_upgrade(headers) && equals_ignore_case(upgrade_type(headers), "websocket");
}

}  // namespace inlay::http
