// SPDX-License-Identifier: Apache-2.0
#include "host/pairs.h"

#include <gtest/gtest.h>

#include <string>

namespace inlay::host {
namespace {

std::string wire(const http::HeaderMap& map) {
  std::string bytes(pairs_size(map), '?');
  write_pairs(map, bytes.data());
  return bytes;
}

TEST(Pairs, RoundTrip) {
  http::HeaderMap map;
  map.add("a", "1");
  map.add("b", "");
  map.add("b", std::string("2\0x", 3));
  const std::string bytes = wire(map);
  Pairs pairs;
  ASSERT_TRUE(parse_pairs(bytes, pairs));
  ASSERT_EQ(pairs.size(), 3u);
  EXPECT_EQ(pairs[0].second, "1");
  EXPECT_EQ(pairs[1].first, "b");
  EXPECT_EQ(pairs[2].second, std::string_view("2\0x", 3));
}

TEST(Pairs, EmptyForms) {
  Pairs pairs = {{"old", "content"}};
  EXPECT_TRUE(parse_pairs("", pairs));
  EXPECT_TRUE(pairs.empty());
  EXPECT_TRUE(parse_pairs(std::string_view("\0", 1), pairs));
  EXPECT_TRUE(parse_pairs(std::string_view("\0\0\0\0", 4), pairs));
  EXPECT_TRUE(pairs.empty());
}

TEST(Pairs, EveryTruncationAndEveryChangedSizeIsRefusedOrHarmless) {
  http::HeaderMap map;
  map.add("name", "value");
  map.add("x", "y");
  const std::string bytes = wire(map);
  Pairs pairs;
  for (size_t n = 2; n < bytes.size(); ++n) EXPECT_FALSE(parse_pairs(std::string_view(bytes).substr(0, n), pairs)) << n;
  for (size_t i = 0; i < 20; ++i) {
    std::string changed = bytes;
    changed[i] = '\x7f';
    EXPECT_FALSE(parse_pairs(changed, pairs)) << i;
    EXPECT_TRUE(pairs.empty());
  }
}

TEST(Pairs, BytesBehindTheLastPairAreRefused) {
  http::HeaderMap map;
  map.add("name", "value");
  Pairs pairs;
  EXPECT_TRUE(parse_pairs(wire(map), pairs));
  EXPECT_FALSE(parse_pairs(wire(map) + '\0', pairs));
  EXPECT_TRUE(pairs.empty());
  EXPECT_FALSE(parse_pairs(std::string_view("\0\0\0\0x", 5), pairs));
}

TEST(Pairs, LimitsAreKept) {
  http::HeaderMap many;
  for (size_t i = 0; i < kMaxPairs + 1; ++i) many.add("n", "v");
  Pairs pairs;
  EXPECT_FALSE(parse_pairs(wire(many), pairs));
  http::HeaderMap large;
  large.add("n", std::string(kMaxPairsBytes, 'x'));
  EXPECT_FALSE(parse_pairs(wire(large), pairs));
}

}  // namespace
}  // namespace inlay::host
