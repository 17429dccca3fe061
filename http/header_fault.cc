// SPDX-License-Identifier: Apache-2.0
#include "http/header_fault.h"

#include <algorithm>
#include <cstdint>

#include "base/ascii.h"

namespace inlay::http {

std::string header_fault(const HeaderMap& map) {
  for (const HeaderMap::Entry& e : map) {
    const std::string_view token = e.name.starts_with(':') ? e.name.substr(1) : e.name;
    if (!e.name.empty() && !is_header_name(token)) return "invalid header name: " + show_bytes(e.name);
    if (!is_value_of(e.id, e.value)) return "invalid header value for: " + show_bytes(e.name);
  }
  return "";
}

std::string fault_details(std::string_view message, std::string_view fault) {
  std::string details("filter_removed_required_");
  details.append(message).append("_headers{").append(fault) += '}';
  std::replace(details.begin(), details.end(), ' ', '_');
  return details;
}

std::string show_bytes(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else if (c == '\n' || c == '\r' || c == '\t') {
      text += {'\\', c == '\n' ? 'n' : c == '\r' ? 'r' : 't'};
    } else {
      append_hex(text += "\\u00", c);
    }
  }
  return text;
}

}  // namespace inlay::http
