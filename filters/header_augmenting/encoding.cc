// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/encoding.h"

#include <cstdint>

namespace inlay::header_augmenting {

void add_form_encoded(TextBuilder& out, std::string_view text) {
  constexpr const char* kHex = "0123456789ABCDEF";
  for (const char c : text) {
    const char lower = static_cast<char>(c | 0x20);
    if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '*' || c == '-' || c == '.' || c == '_') {
      out.add(c);
    } else if (c == ' ') {
      out.add('+');
    } else {
      out.add('%').add(kHex[c >> 4 & 15]).add(kHex[c & 15]);
    }
  }
}

namespace {

void add_groups(TextBuilder& out, std::string_view bytes, const char* last_digits, bool padded) {
  constexpr const char* kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  for (size_t at = 0; at < bytes.size(); at += 3) {
    uint32_t group = 0;
    for (size_t i = 0; i < 3; ++i) {
      group = group << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0);
    }
    for (size_t i = 0; i < 4; ++i) {
      const uint32_t digit = group >> (18 - 6 * i) & 63;
      if (at + i <= bytes.size())
        out.add(digit < 62 ? kDigits[digit] : last_digits[digit - 62]);
      else if (padded)
        out.add('=');
    }
  }
}

}  // namespace

void add_base64(TextBuilder& out, std::string_view bytes) {
  add_groups(out, bytes, "+/", true);
}

void add_base64url(TextBuilder& out, std::string_view bytes) {
  add_groups(out, bytes, "-_", false);
}

bool add_from_base64url(TextBuilder& out, std::string_view text) {
  uint32_t bits = 0;
  uint32_t count = 0;  // of the bits that are not in `out` yet
  for (const char c : text) {
    const auto lower = static_cast<char>(c | 0x20);
    uint32_t digit = 0;
    if (lower >= 'a' && lower <= 'z')
      digit = static_cast<uint32_t>(lower - 'a') + (c == lower ? 26 : 0);
    else if (c >= '0' && c <= '9')
      digit = static_cast<uint32_t>(c - '0') + 52;
    else if (c == '-' || c == '_')
      digit = c == '-' ? 62 : 63;
    else
      return false;
    bits = bits << 6 | digit;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.add(static_cast<char>(bits >> count & 0xff));
  }
  // What is left of the last digit is no part of a byte, and 0.
  return count < 6 && (bits & ((1u << count) - 1)) == 0;
}

}  // namespace inlay::header_augmenting
