// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/duration.h"

#include <gtest/gtest.h>

#include <string>

namespace inlay::header_augmenting {
namespace {

TEST(Duration, ReadsEachUnitAndSums) {
  EXPECT_EQ(parse_duration("250ms"), 250u);
  EXPECT_EQ(parse_duration("10s"), 10'000u);
  EXPECT_EQ(parse_duration("5m"), 300'000u);
  EXPECT_EQ(parse_duration("1h30m"), 5'400'000u);
  EXPECT_EQ(parse_duration("1d"), 86'400'000u);
  EXPECT_EQ(parse_duration("1m1ms"), 60'001u);
  EXPECT_EQ(parse_duration("0s"), 0u);
}

TEST(Duration, RefusesAllElse) {
  for (const char* text : {"", "10", "s", "10 s", "10S", "-1s", "1.5s", "1s ", " 1s", "10sm", "1y", "ms", "1ms1", "+1s",
                           "99999999999999999999s", "36501d", "18446744073709551615ms"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_duration("36500d"), kMaxDurationMs);
  EXPECT_EQ(parse_duration("36500d1ms"), std::nullopt);
}

}  // namespace
}  // namespace inlay::header_augmenting
