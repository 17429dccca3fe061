// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/lease.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "sdk/shared_data.h"
#include "sdk/testing/fake_host.h"

namespace inlay::header_augmenting {
namespace {

constexpr uint64_t kLength = 6000;

class LeaseTest : public ::testing::Test {
 protected:
  std::optional<Lease> take(SharedEntry& entry, uint64_t now) {
    entry.load();
    if (!Lease::is_free(entry, now, kLength)) return std::nullopt;
    Lease lease = Lease::take(entry, now, kLength);
    if (!lease.held()) return std::nullopt;
    return std::optional<Lease>(std::move(lease));
  }

  static EntryState times(uint64_t fetched_at_ms, uint64_t expires_at_ms, uint64_t due_at_ms) {
    EntryState state;
    state.fetched_at_ms = fetched_at_ms;
    state.expires_at_ms = expires_at_ms;
    state.due_at_ms = due_at_ms;
    return state;
  }

  sdk::testing::FakeHost host_;
  SharedEntry a_{"k"};
  SharedEntry b_{"k"};
};

TEST_F(LeaseTest, OnlyOneHoldsIt) {
  auto lease = take(a_, 1000);
  ASSERT_TRUE(lease);
  EXPECT_FALSE(take(b_, 1000));
  EXPECT_FALSE(take(b_, 6999));
}

TEST_F(LeaseTest, TheSlowerOfTwoLoses) {
  a_.load();
  b_.load();
  EXPECT_TRUE(Lease::take(a_, 1000, kLength).held());
  EXPECT_FALSE(Lease::take(b_, 1000, kLength).held());
}

TEST_F(LeaseTest, SeedingTwiceDoesNotTakeALeaseAway) {
  auto lease = take(a_, 1000);
  ASSERT_TRUE(lease);
  // Another worker that found no key a moment ago creates it now.
  ASSERT_FALSE(sdk::create_shared_data("k", "seed"));
  b_.load();
  EXPECT_EQ(b_.state().lease, 1u);
}

TEST_F(LeaseTest, PublishingIsSeenAndGivesItBack) {
  auto lease = take(a_, 1000);
  ASSERT_TRUE(lease->publish("pairs", times(1000, 2000, 1900)));
  b_.load();
  EXPECT_EQ(b_.pairs(), "pairs");
  EXPECT_EQ(b_.state().version, 1u);
  EXPECT_EQ(b_.state().expires_at_ms, 2000u);
  EXPECT_EQ(b_.state().due_at_ms, 1900u);
  EXPECT_TRUE(take(b_, 1001));
}

TEST_F(LeaseTest, FailureKeepsTheHeaders) {
  ASSERT_TRUE(take(a_, 1000)->publish("pairs", times(1000, 2000, 1900)));
  ASSERT_TRUE(take(a_, 1900)->fail(times(0, 0, 2500)));
  b_.load();
  EXPECT_EQ(b_.pairs(), "pairs");
  EXPECT_EQ(b_.state().failures, 1u);
  EXPECT_EQ(b_.state().due_at_ms, 2500u);
  EXPECT_EQ(b_.state().version, 1u);
}

TEST_F(LeaseTest, FailureOfAnotherKindIsTheFirstOfItsKind) {
  EntryState permanent;
  permanent.flags = EntryState::kPermanent;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(take(a_, 1000)->fail(times(0, 0, 2500)));
  b_.load();
  EXPECT_EQ(b_.state().failures, 3u);
  for (uint32_t i = 1; i < 3; ++i) {
    ASSERT_TRUE(take(a_, 1000)->fail(permanent));
    b_.load();
    EXPECT_EQ(b_.state().failures, i);
    EXPECT_EQ(b_.state().flags, EntryState::kPermanent);
  }
  ASSERT_TRUE(take(a_, 1000)->fail(times(0, 0, 2500)));
  b_.load();
  EXPECT_EQ(b_.state().failures, 1u);
  EXPECT_EQ(b_.state().flags, 0u);
}

TEST_F(LeaseTest, LateHolderDoesNotDisturbItsSuccessor) {
  auto late = take(a_, 1000);
  auto next = take(b_, 1000 + kLength);
  ASSERT_TRUE(next);
  EXPECT_FALSE(late->publish("old", times(8000, 9000, 9000)));
  ASSERT_TRUE(next->publish("new", times(8000, 9000, 9000)));
  a_.load();
  EXPECT_EQ(a_.pairs(), "new");
  EXPECT_EQ(a_.state().version, 1u);
}

TEST_F(LeaseTest, DroppedLeaseIsFreeAtOnce) {
  { auto lease = take(a_, 1000); }
  EXPECT_TRUE(take(b_, 1001));
}

TEST_F(LeaseTest, LeaseFromAClockThatWasSetBackCountsForNothing) {
  auto lease = take(a_, 1'000'000);
  EXPECT_TRUE(take(b_, 1000));
}

TEST_F(LeaseTest, ForeignValueCountsAsEmpty) {
  for (const char* value : {"", "x",
                            "IHA1 and something that is long enough to be an entry of some other version, or of any of "
                            "those that are to come"}) {
    host_.shared_data["k"] = {value, 7};
    a_.load();
    EXPECT_EQ(a_.state().version, 0u);
    EXPECT_EQ(a_.pairs(), "");
  }
  ASSERT_TRUE(take(a_, 1000)->publish("p", times(1, 2, 3)));
}

TEST_F(LeaseTest, HostWithoutSharedDataLeavesEachToItself) {
  host_.has_shared_data = false;
  EXPECT_TRUE(take(a_, 1000)->publish("p", times(1, 2, 3)));
  EXPECT_FALSE(a_.shared());
  a_.load();
  EXPECT_EQ(a_.pairs(), "p");
}

}  // namespace
}  // namespace inlay::header_augmenting
