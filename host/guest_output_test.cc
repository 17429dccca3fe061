// SPDX-License-Identifier: Apache-2.0
#include "host/guest_output.h"

#include <gtest/gtest.h>

namespace inlay::host {
namespace {

TEST(GuestOutput, MakesARecordOfAWriteThatEndsItsLine) {
  GuestOutput output(100);
  EXPECT_EQ(output.add("one\n"), "one");
  EXPECT_EQ(output.add("two\nthree\n"), "two\nthree");
  EXPECT_EQ(output.add("\n"), "");
  EXPECT_FALSE(output.unended());
}

TEST(GuestOutput, GathersPiecesUntilTheLineEnds) {
  GuestOutput output(100);
  EXPECT_EQ(output.add("fatal error: "), "");
  EXPECT_EQ(output.add("all "), "");
  EXPECT_TRUE(output.unended());
  EXPECT_EQ(output.add("is lost\n\ngoroutine "), "fatal error: all is lost\n");
  EXPECT_EQ(output.add("1\n"), "goroutine 1");
}

TEST(GuestOutput, GivesUpWhatHasNoEnd) {
  GuestOutput output(100);
  EXPECT_EQ(output.take(), "");
  output.add("left");
  EXPECT_EQ(output.take(), "left");
  EXPECT_FALSE(output.unended());
  EXPECT_EQ(output.add("over\n"), "over");
}

TEST(GuestOutput, KeepsNoMoreThanALine) {
  GuestOutput output(4);
  EXPECT_EQ(output.add("abc"), "");
  EXPECT_EQ(output.add("de"), "abcde");
  EXPECT_EQ(output.add("x\nlonger"), "x\nlonger");
  EXPECT_FALSE(output.unended());
}

}  // namespace
}  // namespace inlay::host
