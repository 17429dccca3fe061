// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

TEST(Ascii, OnlyLettersOfAsciiChangeCase) {
  EXPECT_EQ(lower("Content-TYPE: @[`{\xc3\x84 19"), "content-type: @[`{\xc3\x84 19");
  for (int c = -128; c < 128; ++c) {
    const char other = to_lower(static_cast<char>(c));
    EXPECT_EQ(other != static_cast<char>(c), c >= 'A' && c <= 'Z') << c;
  }
}

TEST(Ascii, EqualButForCaseIsNotEqualButForABit) {
  EXPECT_TRUE(equals_ignore_case("Keep-Alive", "kEEP-aLIVE"));
  EXPECT_TRUE(equals_ignore_case("", ""));
  EXPECT_FALSE(equals_ignore_case("close", "closed"));
  EXPECT_FALSE(equals_ignore_case("@", "`"));
  EXPECT_FALSE(equals_ignore_case("[", "{"));
  EXPECT_FALSE(equals_ignore_case("\xc3\x84", "\xc3\xa4"));
}

TEST(Ascii, WhatIsALetterOrADigit) {
  for (int c = -128; c < 128; ++c) {
    const char byte = static_cast<char>(c);
    const bool letter =
        std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ").find(byte) != std::string_view::npos;
    const bool digit = std::string_view("0123456789").find(byte) != std::string_view::npos;
    EXPECT_EQ(is_alpha(byte), letter) << c;
    EXPECT_EQ(is_digit(byte), digit) << c;
    EXPECT_EQ(is_alphanumeric(byte), letter || digit) << c;
  }
}

TEST(Ascii, HexadecimalDigitsBothWays) {
  for (int value = 0; value < 256; ++value) {
    for (const std::string_view digits : {kLowerHex, kUpperHex}) {
      std::string text;
      append_hex(text, static_cast<char>(value), digits);
      ASSERT_EQ(text.size(), 2u);
      EXPECT_EQ(hex_value(text[0]) * 16 + hex_value(text[1]), value);
    }
  }
  for (const char c : std::string_view("gG/:@`\0\xff", 8)) EXPECT_EQ(hex_value(c), -1) << static_cast<int>(c);
  EXPECT_EQ(hexadecimal(std::string_view("\0\x9f\xff", 3)), "009fff");
}

}  // namespace
}  // namespace inlay
