// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/token_slots.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "filters/header_augmenting/exchange_fixture.h"
#include "filters/header_augmenting/mailbox.h"

namespace inlay::header_augmenting {
namespace {

using Claim = TokenSlots::Claim;

class TokenSlotsTest : public ::testing::Test {
 protected:
  // within: what a worker does.
  template <class F>
  void within(F&& what) {
    worker_.run(worker_.start("root", "{}"), what);
  }
  static TokenKey key(char first) {
    TokenKey key;
    key.bytes[31] = first;
    return key;
  }
  static TokenSlots::Wanted wanted(uint8_t waiter = 0) { return {.lease_ms = 1000, .waiter = waiter}; }
  static TokenTimes until(uint64_t ms) { return {ms, ms, ms}; }

  FakeHost host_;
  FakeWorker& worker_ = host_.add_worker();
};

TEST_F(TokenSlotsTest, OneAsksAndTheOthersWait) {
  within([] {
    TokenSlots a("s", 8, 10'000);
    TokenSlots b("s", 8, 10'000);
    ASSERT_EQ(a.claim(key('x'), wanted(), 100), Claim::kMine);
    EXPECT_EQ(b.claim(key('x'), wanted(7), 200), Claim::kTheirs);
    EXPECT_EQ(b.claim(key('x'), wanted(7), 300), Claim::kTheirs);
    EXPECT_EQ(b.claim(key('x'), wanted(8), 300), Claim::kTheirs);
    EXPECT_EQ(b.claim(key('y'), wanted(), 300), Claim::kMine) << "another token";
    EXPECT_EQ(a.publish(key('x'), a.lease(), Outcome::kToken, until(5000), "headers", 400), "\x07\x08");
    ASSERT_EQ(b.claim(key('x'), wanted(), 500), Claim::kFound);
    EXPECT_EQ(b.pairs(), "headers");
    EXPECT_EQ(b.slot().times.until_ms, 5000u);
    EXPECT_EQ(b.claim(key('x'), wanted(), 5000), Claim::kMine) << "it is over";
  });
}

TEST_F(TokenSlotsTest, LeaseEndsByItself) {
  within([] {
    TokenSlots a("s", 8, 10'000);
    TokenSlots b("s", 8, 10'000);
    ASSERT_EQ(a.claim(key('x'), wanted(), 100), Claim::kMine);
    const uint64_t lease = a.lease();
    ASSERT_EQ(b.claim(key('x'), wanted(), 1100), Claim::kMine);
    EXPECT_EQ(a.publish(key('x'), lease, Outcome::kToken, until(5000), "late", 1200), "");
    EXPECT_EQ(a.claim(key('x'), wanted(), 1300), Claim::kTheirs) << "who comes late does not disturb its successor";
  });
}

TEST_F(TokenSlotsTest, FailureOfARenewalLeavesTheToken) {
  within([] {
    TokenSlots slots("s", 8, 10'000);
    ASSERT_EQ(slots.claim(key('x'), wanted(), 100), Claim::kMine);
    (void)slots.publish(key('x'), slots.lease(), Outcome::kToken, until(5000), "headers", 200);
    TokenSlots::Wanted newer = wanted();
    newer.known_ns = 5000;
    ASSERT_EQ(slots.claim(key('x'), newer, 300), Claim::kMine);
    ASSERT_EQ(slots.claim(key('x'), wanted(), 300), Claim::kFound) << "in the meantime";
    (void)slots.publish(key('x'), 1300, Outcome::kUnavailable, until(900), "", 400);
    ASSERT_EQ(slots.claim(key('x'), wanted(), 500), Claim::kFound);
    EXPECT_EQ(slots.pairs(), "headers");
    ASSERT_EQ(slots.claim(key('x'), newer, 600), Claim::kMine);
    (void)slots.publish(key('x'), slots.lease(), Outcome::kRefused, until(900), "", 700);
    ASSERT_EQ(slots.claim(key('x'), wanted(), 800), Claim::kFound);
    EXPECT_EQ(slots.slot().outcome, Outcome::kRefused) << "the service's word on the subject counts";
    slots.drop(key('x'), 900);
    EXPECT_EQ(slots.claim(key('x'), wanted(), 800), Claim::kMine);
  });
}

TEST_F(TokenSlotsTest, FullSetMakesRoomButNotOfWhatIsAskedFor) {
  within([] {
    TokenSlots slots("s", 8, 10'000);
    for (char c = 'a'; c < 'i'; ++c) ASSERT_EQ(slots.claim(key(c), wanted(), 100), Claim::kMine);
    EXPECT_EQ(slots.claim(key('i'), wanted(), 200), Claim::kNone);
    EXPECT_EQ(slots.evicted(), 0u);
    for (char c = 'a'; c < 'i'; ++c)
      (void)slots.publish(key(c), 1100, Outcome::kToken, until(5000 + static_cast<uint64_t>(c)), "headers", 300);
    EXPECT_EQ(slots.claim(key('i'), wanted(), 400), Claim::kMine);
    EXPECT_EQ(slots.evicted(), 1u);
    TokenSlots::Wanted look = wanted();
    look.may_ask = false;
    EXPECT_EQ(slots.claim(key('a'), look, 500), Claim::kNone) << "it would have ended first";
    EXPECT_EQ(slots.claim(key('b'), look, 500), Claim::kFound);
  });
}

TEST_F(TokenSlotsTest, KeysAreNoMoreThanThereAreSets) {
  within([&] {
    const size_t before = host_.shared_data.size();
    for (int source = 0; source < 40; ++source) {
      TokenSlots slots("source-" + std::to_string(source), 65536, 100);
      for (uint32_t i = 0; i < 500; ++i) {
        TokenKey one;
        const uint32_t number = i * 2654435761u;
        std::memcpy(one.bytes, &number, sizeof number);
        (void)slots.claim(one, wanted(), 100);
      }
    }
    EXPECT_GT(host_.shared_data.size(), before + 5000);
    EXPECT_LE(host_.shared_data.size(), before + TokenSlots::kMostSets);
  });
}

TEST_F(TokenSlotsTest, MailboxesAreTold) {
  within([] {
    Mailbox first;
    Mailbox second;
    EXPECT_EQ(first.number(), 1u);
    EXPECT_EQ(second.number(), 2u);
    EXPECT_EQ(first.number(), 1u);
    Mailbox::send(2, "item");
    Mailbox::send(3, "to nobody");
    EXPECT_TRUE(first.take(1).empty());
    EXPECT_TRUE(first.take(2).empty()) << "another's queue";
    EXPECT_EQ(second.take(2).view(), "item");
    EXPECT_TRUE(second.take(2).empty());
    for (int i = 3; i < 256; ++i) EXPECT_EQ(Mailbox().number(), i);
    EXPECT_EQ(Mailbox().number(), 1u) << "and so on";
  });
}

}  // namespace
}  // namespace inlay::header_augmenting
