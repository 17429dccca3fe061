// SPDX-License-Identifier: Apache-2.0
#include "upstream/back_off.h"

#include <gtest/gtest.h>

namespace inlay::upstream {
namespace {

TEST(BackOff, DoublesUpToTheLongestAndNeverOverflows) {
  using std::chrono::milliseconds;
  const milliseconds base(100);
  const milliseconds most(1000);
  EXPECT_EQ(longest_back_off(base, most, 0), milliseconds(100));
  EXPECT_EQ(longest_back_off(base, most, 2), milliseconds(400));
  EXPECT_EQ(longest_back_off(base, most, 4), milliseconds(1000));
  const milliseconds longest = std::chrono::seconds(9'000'000'000);  // that the configuration takes
  EXPECT_EQ(longest_back_off(longest, 10 * longest, UINT32_MAX), 10 * longest);
}

}  // namespace
}  // namespace inlay::upstream
