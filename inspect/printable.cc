// SPDX-License-Identifier: Apache-2.0
#include "inspect/printable.h"

#include <cstdint>
#include <cstdio>

namespace inlay::inspect {
namespace {

struct Decoded {
  uint32_t code = 0;
  size_t size = 0;  // 0: no valid character is here
};

Decoded decode(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return {};
  uint32_t code = first & (0xffu >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3fu);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < kLeast[size] || code > 0x10ffff || surrogate) return {};
  return {code, size};
}

template <class Write>
std::string rewrite(std::string_view text, Write&& write) {
  std::string out;
  while (!text.empty()) {
    const Decoded next = decode(text);
    if (next.size == 0)
      out += "\xef\xbf\xbd";
    else
      write(out, next.code, text.substr(0, next.size));
    text.remove_prefix(next.size == 0 ? 1 : next.size);
  }
  return out;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  return rewrite(text, [](std::string& out, uint32_t, std::string_view character) { out += character; });
}

std::string printable(std::string_view text) {
  return rewrite(text, [](std::string& out, uint32_t code, std::string_view character) {
    if (code >= 0x20 && (code < 0x7f || code > 0x9f)) {
      out += character;
      return;
    }
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(code));
    out += escaped;
  });
}

std::string grouped(unsigned long long number) {
  std::string text = std::to_string(number);
  for (size_t i = text.size(); i > 3; i -= 3) text.insert(i - 3, ",");
  return text;
}

}  // namespace inlay::inspect
