// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/request_match.h"

#include <gtest/gtest.h>

namespace inlay::header_augmenting {
namespace {

TEST(Authority, IsComparedWithoutCaseAndWithThePortThatThePatternHas) {
  EXPECT_TRUE(is_authority("api.local", "API.local"));
  EXPECT_TRUE(is_authority("api.local", "api.local:443"));
  EXPECT_TRUE(is_authority("api.local:443", "api.local:443"));
  EXPECT_FALSE(is_authority("api.local:443", "api.local"));
  EXPECT_FALSE(is_authority("api.local:443", "api.local:80"));
  EXPECT_FALSE(is_authority("api.local", "api.local.evil"));
  EXPECT_FALSE(is_authority("api.local", "xapi.local"));
  EXPECT_FALSE(is_authority("api.local", ""));
  EXPECT_TRUE(is_authority("[::1]", "[::1]:80"));
  EXPECT_TRUE(is_authority("[::1]", "[::1]"));
}

TEST(Authority, StarStandsForOneLabelAtLeast) {
  EXPECT_TRUE(is_authority("*.local", "a.local"));
  EXPECT_TRUE(is_authority("*.local", "a.b.Local:80"));
  EXPECT_FALSE(is_authority("*.local", "local"));
  EXPECT_FALSE(is_authority("*.local", ".local"));
  EXPECT_FALSE(is_authority("*.local", "a.locals"));
  EXPECT_FALSE(is_authority("*.local", "alocal"));
}

TEST(Alias, IsWhatDiffersInDashesAndUnderscoresOnly) {
  for (const char* alias : {"x_api_key", "x-api_key", "x_api-key"}) EXPECT_TRUE(is_alias("x-api-key", alias)) << alias;
  EXPECT_TRUE(is_alias("x_api_key", "x-api-key")) << "as well where the filter's own name has the underscore";
  for (const char* other : {"x-api-key", "x.api.key", "xapikey", "x_api_keys", "x__api_key", "x_api_kez", ""}) {
    EXPECT_FALSE(is_alias("x-api-key", other)) << other;
  }
  EXPECT_FALSE(is_alias("authorization", "authorization"));
}

}  // namespace
}  // namespace inlay::header_augmenting
