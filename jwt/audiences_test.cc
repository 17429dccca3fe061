// SPDX-License-Identifier: Apache-2.0
#include "jwt/audiences.h"

#include <gtest/gtest.h>

namespace inlay::jwt {
namespace {

TEST(Audiences, OneOfThemIsEnough) {
  EXPECT_TRUE(is_audience_allowed({}, {}));
  EXPECT_TRUE(is_audience_allowed({}, {"a"}));
  EXPECT_TRUE(is_audience_allowed({"a", "b"}, {"c", "b"}));
  EXPECT_FALSE(is_audience_allowed({"a"}, {}));
  EXPECT_FALSE(is_audience_allowed({"a"}, {"A", "ab"}));
}

TEST(Audiences, TheSchemeAndASlashDoNotCount) {
  EXPECT_TRUE(is_audience_allowed({"https://a.test/"}, {"a.test"}));
  EXPECT_TRUE(is_audience_allowed({"a.test"}, {"http://a.test"}));
  EXPECT_FALSE(is_audience_allowed({"a.test"}, {"a.test//"}));
  EXPECT_FALSE(is_audience_allowed({"a.test"}, {"https://http://a.test"}));
  EXPECT_FALSE(is_audience_allowed({"a.test"}, {""}));
}

}  // namespace
}  // namespace inlay::jwt
