// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/jwt_authn/token_places.h"

#include <gtest/gtest.h>

namespace inlay::proxy::http_filters::jwt_authn {
namespace {

config::JwtProvider provider(std::string issuer) {
  config::JwtProvider out;
  out.issuer = std::move(issuer);
  return out;
}

std::string found(const TokenPlaces& places, const http::HeaderMap& request) {
  std::string out;
  for (const FoundToken& token : places.find(request)) out += token.place->name + "=" + token.text + " ";
  return out;
}

TEST(TokenPlaces, HeadersThenParametersThenCookies) {
  config::JwtProvider one = provider("i");
  one.from_cookies = {"c", "d"};
  one.from_params = {"q"};
  one.from_headers = {{"x", ""}, {"authorization", "Bearer "}};
  const TokenPlaces places({&one});
  http::HeaderMap request;
  request.add(":path", "/?q=3");
  request.add("cookie", "a=b;c=\"4\"; d = 5");
  request.add("x", "2");
  request.add("x", "2b");
  request.add("authorization", "Bearer 1");
  EXPECT_EQ(found(places, request), "authorization=1 x=2 x=2b q=3 c=4 d=5 ");
}

TEST(TokenPlaces, APrefixStandsAnywhere) {
  config::JwtProvider one = provider("i");
  one.from_headers = {{"a", "T="}};
  const TokenPlaces places({&one});
  const struct {
    const char* value;
    const char* token;
  } rows[] = {{"T=x.y", "a=x.y "}, {"foo T= x", "a=x "}, {"T=", "a=T= "}, {"t=x", ""}, {"", ""}};
  for (const auto& row : rows) {
    http::HeaderMap request;
    request.add("a", row.value);
    EXPECT_EQ(found(places, request), row.token) << row.value;
  }
}

TEST(TokenPlaces, EachHasTheIssuersOfThoseThatLookThere) {
  config::JwtProvider a = provider("a");
  config::JwtProvider b = provider("b");
  config::JwtProvider any = provider("");
  a.from_headers = b.from_headers = {{"x", ""}};
  b.from_params = any.from_params = {"q"};
  const TokenPlaces places({&a, &b, &any});
  http::HeaderMap request;
  request.add(":path", "/?q=2");
  request.add("x", "1");
  const auto tokens = places.find(request);
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_TRUE(tokens[0].place->allows("a") && tokens[0].place->allows("b"));
  EXPECT_FALSE(tokens[0].place->allows("c") || tokens[0].place->allows(""));
  EXPECT_TRUE(tokens[1].place->allows("c"));
}

TEST(TokenPlaces, ATokenIsTakenOut) {
  http::HeaderMap request;
  request.add(":path", "/a?q=1&b=%2B");
  request.add("x", "1");
  request.add("cookie", "c=1");
  TokenPlace{TokenPlace::Kind::kHeader, "x", "", {}, false}.remove_token(request);
  TokenPlace{TokenPlace::Kind::kParameter, "q", "", {}, false}.remove_token(request);
  TokenPlace{TokenPlace::Kind::kCookie, "c", "", {}, false}.remove_token(request);
  EXPECT_EQ(request.get("x"), std::nullopt);
  EXPECT_EQ(request.get(":path"), "/a?b=%2B");
  EXPECT_EQ(request.get("cookie"), "c=1");
}

}  // namespace
}  // namespace inlay::proxy::http_filters::jwt_authn
