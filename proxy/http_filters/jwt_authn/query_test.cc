// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/jwt_authn/query.h"

#include <gtest/gtest.h>

namespace inlay::proxy::http_filters::jwt_authn {
namespace {

TEST(Query, TheFirstOfAName) {
  EXPECT_EQ(query_parameter("/a?t=1&t=2", "t"), "1");
  EXPECT_EQ(query_parameter("/a?x&t", "t"), "");
  EXPECT_EQ(query_parameter("/a?%74=%2E+%", "t"), ".+%");
  EXPECT_EQ(query_parameter("/a?t=a=b&c", "t"), "a=b");
  EXPECT_EQ(query_parameter("/a?tt=1", "t"), std::nullopt);
  EXPECT_EQ(query_parameter("/t=1", "t"), std::nullopt);
  EXPECT_EQ(query_parameter("/a?", "t"), std::nullopt);
  EXPECT_EQ(query_parameter("", "t"), std::nullopt);
}

TEST(Query, TheOthersStay) {
  EXPECT_EQ(without_parameter("/a?t=1", "t"), "/a");
  EXPECT_EQ(without_parameter("/a?z=%20&t=1&b&t=2&a=+", "t"), "/a?z=%20&b&a=+");
  EXPECT_EQ(without_parameter("/a?%74=1&b=?t=1", "t"), "/a?b=?t=1");
  EXPECT_EQ(without_parameter("/a", "t"), "/a");
}

}  // namespace
}  // namespace inlay::proxy::http_filters::jwt_authn
