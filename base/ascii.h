// SPDX-License-Identifier: Apache-2.0
#pragma once

// Letters and digits of ASCII, whatever the locale says; other bytes are left alone. All are pure.
//
//     lower("Content-Type")                      // "content-type"
//     equals_ignore_case(scheme, "https")
//     if (const int digit = hex_value(c); digit >= 0) value = value * 16 + digit;

#include <algorithm>
#include <string>
#include <string_view>

namespace inlay {

inline constexpr std::string_view kLowerHex = "0123456789abcdef";
inline constexpr std::string_view kUpperHex = "0123456789ABCDEF";

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr bool is_alpha(char c) {
  return is_upper(c) || (c >= 'a' && c <= 'z');
}
constexpr bool is_alphanumeric(char c) {
  return is_alpha(c) || is_digit(c);
}
constexpr char to_lower(char c) {
  return is_upper(c) ? static_cast<char>(c | 0x20) : c;
}

inline std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), to_lower);
  return out;
}

constexpr bool equals_ignore_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return to_lower(x) == to_lower(y); });
}

// The value of a hexadecimal digit of either case; -1 if `c` is none.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char letter = to_lower(c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// Appends a byte as two hexadecimal digits.
inline void append_hex(std::string& out, char byte, std::string_view digits = kLowerHex) {
  out += digits[static_cast<unsigned char>(byte) >> 4];
  out += digits[static_cast<unsigned char>(byte) & 15];
}

// The bytes as hexadecimal digits, in lower case.
inline std::string hexadecimal(std::string_view bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char byte : bytes) append_hex(out, byte);
  return out;
}

}  // namespace inlay
