// SPDX-License-Identifier: Apache-2.0
#include "tester/yaml_text.h"

#include "base/ascii.h"

namespace inlay::tester {

std::string indent(std::string_view text, size_t by) {
  std::string out;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (!line.empty()) out.append(by, ' ').append(line);
    out += '\n';
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

std::string quoted_yaml(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (byte < 0x20 || byte == 0x7f) {
      append_hex(out += "\\x", c);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace inlay::tester
