// SPDX-License-Identifier: Apache-2.0
// Lines and log records of what a filter's author hands to them.
#include "sdk/text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "sdk/log.h"
#include "sdk/testing/fake_host.h"

namespace inlay::sdk {
namespace {

template <class T>
std::string text(T value) {
  Line line;
  return std::string(line.add(value).view());
}

template <class T>
void expect_limits() {
  EXPECT_EQ(text(std::numeric_limits<T>::min()), std::to_string(std::numeric_limits<T>::min()));
  EXPECT_EQ(text(std::numeric_limits<T>::max()), std::to_string(std::numeric_limits<T>::max()));
  EXPECT_EQ(text(T{0}), "0");
  EXPECT_EQ(text(T{7}), "7");
}

TEST(Line, TakesEveryInteger) {
  expect_limits<signed char>();
  expect_limits<unsigned char>();
  expect_limits<short>();           // NOLINT: each type of the language
  expect_limits<unsigned short>();  // NOLINT
  expect_limits<int>();
  expect_limits<unsigned>();
  expect_limits<long>();                // NOLINT
  expect_limits<unsigned long>();       // NOLINT
  expect_limits<long long>();           // NOLINT
  expect_limits<unsigned long long>();  // NOLINT
  EXPECT_EQ(text(-1), "-1");
  EXPECT_EQ(text(size_t{3}), "3");
  EXPECT_EQ(text(U'A'), "65");
}

TEST(Line, TakesBoolsCharsAndStatuses) {
  EXPECT_EQ(text(true) + text(false), "truefalse");
  EXPECT_EQ(text('x'), "x");
  EXPECT_EQ(text(Status::kOk), "Ok");
  EXPECT_EQ(text(Status::kUnimplemented), "Unimplemented");
  EXPECT_EQ(text(static_cast<Status>(13)), "unknown status");
}

TEST(Line, CutsWhatIsTooLong) {
  Line line;
  const std::string long_text(Line::kMaxSize - 5, 'a');
  line.add(long_text).add(std::numeric_limits<int64_t>::min()).add(1);
  EXPECT_EQ(line.view(), long_text + "-9...");
}

TEST(Log, TakesPartsOfAnyKind) {
  sdk::testing::FakeHost host;
  host.add_worker();
  const std::string name = "source";
  log_info("headers ", size_t{3}, ", left ", -2, ", ", name, ' ', std::string_view("ok"), '=', true, ": ",
           Status::kBadArgument);
  log_warn(404);
  log_error(std::string(Line::kMaxSize + 1, 'x'));
  ASSERT_EQ(host.logs.size(), 3u);
  EXPECT_EQ(host.logs[0].text, "headers 3, left -2, source ok=true: BadArgument");
  EXPECT_EQ(host.logs[1].text, "404");
  EXPECT_EQ(host.logs[2].text.size(), Line::kMaxSize + 1) << "one string alone is not cut";
}

}  // namespace
}  // namespace inlay::sdk
