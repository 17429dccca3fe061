// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/jwt.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "filters/header_augmenting/encoding.h"

namespace inlay::header_augmenting {
namespace {

// base64url: of `bytes`, without padding.
std::string base64url(std::string_view bytes) {
  TextBuilder out;
  add_base64(out, bytes);
  std::string text(out.view());
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text.substr(0, text.find('='));
}

std::string jwt(std::string_view claims) {
  return base64url(R"({"alg":"RS256"})") + "." + base64url(claims) + ".c2ln";
}

TEST(Jwt, EndIsReadFromExp) {
  EXPECT_EQ(read_jwt_end_ms(jwt(R"({"sub":"system:serviceaccount:ns:app","exp":1700000000})")), 1'700'000'000'000u);
  EXPECT_EQ(read_jwt_end_ms(jwt(R"({"exp":1700000000.5})")), 1'700'000'000'500u) << "a NumericDate may have a fraction";
  EXPECT_EQ(read_jwt_end_ms(jwt(R"({"exp":1.7e9})")), 1'700'000'000'000u);
  EXPECT_EQ(read_jwt_end_ms(jwt(R"({"exp":1})")), 1'000u);
  // RFC 7519 section 3.1.
  EXPECT_EQ(read_jwt_end_ms("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
                            ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
                            "cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            1'300'819'380'000u);
}

TEST(Jwt, WhatIsNoneHasNoEnd) {
  const std::string claims = base64url(R"({"exp":1700000000})");
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("a.b.c"), std::string("hunter2"), claims,
        "e30." + claims, "." + claims + ".c2ln", "e30." + claims + ".c2ln.c2ln", "e30." + claims + "=.c2ln",
        "e 0." + claims + ".c2ln", "e30." + claims + ".c2 n", "e30." + claims + ".c2ln+",
        std::string("-----BEGIN PRIVATE KEY-----")}) {
    EXPECT_EQ(read_jwt_end_ms(text), std::nullopt) << text;
  }
  for (const char* none : {"{}", "[]", "1700000000", R"({"exp":"1700000000"})", R"({"exp":null})", R"({"exp":0})",
                           R"({"exp":-1})", R"({"EXP":1700000000})", R"({"exp":1700000000)", ""}) {
    EXPECT_EQ(read_jwt_end_ms(jwt(none)), std::nullopt) << none;
  }
}

}  // namespace
}  // namespace inlay::header_augmenting
