// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <gtest/gtest.h>

namespace inlay {
namespace {

std::string to(std::string_view bytes) {
  std::string text;
  append_base64(text, bytes);
  return text;
}

// RFC 4648, section 10.
TEST(Base64, TextsOfTheRfc) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(to(bytes), text);
    std::string back;
    EXPECT_TRUE(append_from_base64(back, text));
    EXPECT_EQ(back, bytes);
  }
}

TEST(Base64, AllBytesThereAndBack) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (size_t length = 0; length <= bytes.size(); ++length) {
    std::string back = "x";
    EXPECT_TRUE(append_from_base64(back, to(bytes.substr(0, length))));
    EXPECT_EQ(back, "x" + bytes.substr(0, length));
  }
}

TEST(Base64, TextsBehindEachOther) {
  std::string bytes;
  EXPECT_TRUE(append_from_base64(bytes, "Zg==Zm8=Zm9v"));
  EXPECT_EQ(bytes, "ffofoo");
}

TEST(Base64, WhatIsNone) {
  for (const char* text :
       {"Z", "Zg", "Zm9", "Z===", "====", "Zg=v", "=Zg=", "Zm9-", "Zm_v", "Zm 9", "Zh==", "Zm9=", "Zm9v\n"}) {
    std::string bytes;
    EXPECT_FALSE(append_from_base64(bytes, text)) << text;
  }
}

}  // namespace
}  // namespace inlay
