// SPDX-License-Identifier: Apache-2.0
#include "http/envoy_headers.h"

#include <gtest/gtest.h>

#include <string>

namespace inlay::http {
namespace {

TEST(EnvoyHeaders, HostIsTheAuthorityOfARequest) {
  EXPECT_EQ(request_field("host"), ":authority");
  EXPECT_EQ(request_field("HoSt"), ":authority");
  EXPECT_EQ(request_field("hosts"), "hosts");
  EXPECT_EQ(request_field("most"), "most");
  EXPECT_EQ(request_field(""), "");
}

TEST(EnvoyHeaders, AFieldThatTheProxyKnowsHasOneEntry) {
  HeaderMap map;
  add_field(map, "x-forwarded-for", "1.1.1.1");
  add_field(map, "X-Forwarded-For", "2.2.2.2");
  EXPECT_EQ(map.size(), 1u);
  EXPECT_EQ(map.get("x-forwarded-for"), "1.1.1.1,2.2.2.2");
}

TEST(EnvoyHeaders, OtherFieldsHaveAnEntryAValue) {
  HeaderMap map;
  add_field(map, "Set-Cookie", "a");
  add_field(map, "set-cookie", "b");
  add_field(map, std::string(100, 'x'), "long");
  EXPECT_EQ(map.count("set-cookie"), 2u);
  EXPECT_EQ(map.size(), 3u);
}

}  // namespace
}  // namespace inlay::http
