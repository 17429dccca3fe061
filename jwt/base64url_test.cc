// SPDX-License-Identifier: Apache-2.0
#include "jwt/base64url.h"

#include <gtest/gtest.h>

namespace inlay::jwt {
namespace {

TEST(Base64url, ReadsWhatRfc7515Has) {
  EXPECT_EQ(from_base64url("A-z_4ME"), std::string("\x03\xec\xff\xe0\xc1", 5));  // appendix C
  EXPECT_EQ(from_base64url(""), "");
  EXPECT_EQ(from_base64url("Zg"), "f");
  EXPECT_EQ(from_base64url("Zm8"), "fo");
  EXPECT_EQ(from_base64url("Zm9v"), "foo");
  EXPECT_EQ(from_base64url("Zg=="), "f");
  EXPECT_EQ(from_base64url("Zm8="), "fo");
}

TEST(Base64url, RefusesWhatIsNone) {
  for (const char* text : {"Z", "Zm9vZ", "+A", "/A", "Z m", "Zm9v\n", "Zg=", "Zm8==", "Z===", "====", "=",
                           "Zg==Zg==", "Zh", "Zm9", "Zm9vZh", "Zm\xc3\xa9", "Zm9v="})
    EXPECT_EQ(from_base64url(text), std::nullopt) << text;
}

}  // namespace
}  // namespace inlay::jwt
