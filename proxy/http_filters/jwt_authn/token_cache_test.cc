// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/jwt_authn/token_cache.h"

#include <gtest/gtest.h>

namespace inlay::proxy::http_filters::jwt_authn {
namespace {

std::shared_ptr<const jwt::Token> lasting(uint64_t exp) {
  auto token = std::make_shared<jwt::Token>();
  token->exp = exp;
  return token;
}

TEST(TokenCache, TheOneNotUsedForLongestMakesRoom) {
  TokenCache cache({.size = 2, .max_token_size = 10});
  cache.add("a", lasting(0));
  cache.add("b", lasting(0));
  EXPECT_NE(cache.find("a", 1), nullptr);
  cache.add("c", lasting(0));
  EXPECT_NE(cache.find("a", 1), nullptr);
  EXPECT_EQ(cache.find("b", 1), nullptr);
  EXPECT_NE(cache.find("c", 1), nullptr);
  EXPECT_EQ(cache.size(), 2u);
  cache.clear();
  EXPECT_EQ(cache.find("a", 1), nullptr);
}

TEST(TokenCache, NeitherLargeNorExpiredOnes) {
  TokenCache cache({.size = 2, .max_token_size = 3});
  cache.add("long", lasting(0));
  EXPECT_EQ(cache.size(), 0u);
  cache.add("a", lasting(100));
  EXPECT_NE(cache.find("a", 160), nullptr);
  EXPECT_EQ(cache.find("a", 161), nullptr);
  EXPECT_EQ(cache.size(), 0u);
}

}  // namespace
}  // namespace inlay::proxy::http_filters::jwt_authn
