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

namespace {

void remove_fields(HeaderMap& headers) {
  headers.remove(HeaderId::kUpgrade);
  headers.remove(HeaderId::kConnection);
}

void add_fields(HeaderMap& headers, std::string_view type) {
  headers.set(HeaderId::kUpgrade, type);
  headers.set(HeaderId::kConnection, "upgrade");
}

}  // namespace

bool is_extended_connect(const HeaderMap& headers) {
  return headers.value(HeaderId::kMethod) == "CONNECT" && headers.has(HeaderId::kProtocol);
}

void to_upgrade(HeaderMap& headers) {
  const std::string type(headers.value(HeaderId::kProtocol));
  headers.remove(HeaderId::kProtocol);
  headers.set(HeaderId::kMethod, "GET");
  add_fields(headers, type);
}

void to_extended_connect(HeaderMap& headers) {
  headers.set(HeaderId::kProtocol, upgrade_type(headers));
  headers.set(HeaderId::kMethod, "CONNECT");
  headers.remove(HeaderId::kContentLength);
  remove_fields(headers);
}

void to_switch(HeaderMap& headers, std::string_view type) {
  headers.set(HeaderId::kStatus, "101");
  headers.remove(HeaderId::kContentLength);
  add_fields(headers, type);
}

void to_http2_switch(HeaderMap& headers) {
  headers.set(HeaderId::kStatus, "200");
  remove_fields(headers);
}

}  // namespace inlay::http
