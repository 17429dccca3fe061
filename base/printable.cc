// SPDX-License-Identifier: Apache-2.0
#include "base/printable.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace inlay {
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

// Appends a character, or a byte that belongs to none, as one_line() has it.
void append_one_line(uint32_t code, bool byte, std::string_view character, std::string& out) {
  const bool breaks_or_turns = (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  if (!byte && code >= 0x20 && (code < 0x7f || code > 0x9f) && !breaks_or_turns) {
    out += character;
  } else if (code == '\n' || code == '\r' || code == '\t') {
    out += {'\\', code == '\n' ? 'n' : code == '\r' ? 'r' : 't'};
  } else {
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, code < 0x100 ? "\\x%02x" : "\\u%04x", static_cast<unsigned>(code));
    out += escaped;
  }
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t size = decode(text).size;
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

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

std::string_view one_line(std::string_view text, std::string& storage) {
  const auto plain = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (std::all_of(text.begin(), text.end(), plain)) return text;
  storage.clear();
  while (!text.empty()) {
    const Decoded next = decode(text);
    const bool byte = next.size == 0;
    append_one_line(byte ? static_cast<uint8_t>(text[0]) : next.code, byte, text.substr(0, next.size), storage);
    text.remove_prefix(byte ? 1 : next.size);
  }
  return storage;
}

std::string one_line(std::string_view text) {
  std::string storage;
  return std::string(one_line(text, storage));
}

}  // namespace inlay
