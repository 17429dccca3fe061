// SPDX-License-Identifier: Apache-2.0
#include "net/client_limit.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "net/descriptors.h"

namespace inlay::net {
namespace {

TEST(ClientLimit, CountsAndRefuses) {
  ClientLimit limit(2);
  EXPECT_TRUE(limit.enter());
  EXPECT_TRUE(limit.enter());
  EXPECT_FALSE(limit.enter());
  EXPECT_EQ(limit.count(), 2u);
  limit.leave();
  EXPECT_TRUE(limit.enter());
  EXPECT_FALSE(ClientLimit(0).enter());
  EXPECT_TRUE(ClientLimit().enter());
}

TEST(ClientTicket, IsGivenBackOnce) {
  ClientLimit all(5);
  ClientLimit own(5);
  ASSERT_TRUE(all.enter() && own.enter());
  {
    ClientTicket ticket(&all, &own);
    ClientTicket other = std::move(ticket);
    ticket.release();
    EXPECT_EQ(all.count(), 1u);
    other.release();
    EXPECT_EQ(all.count() + own.count(), 0u);
  }
  EXPECT_EQ(all.count() + own.count(), 0u);
}

class AdmissionTest : public testing::Test {
 protected:
  AdmissionTest() {
    admission_.all = &all_;
    admission_.own = &own_;
    admission_.on_refused = [this](Refusal why) { refused_.push_back(why); };
  }
  ClientLimit all_{2};
  ClientLimit own_{2};
  Admission admission_;
  std::vector<Refusal> refused_;
};

TEST_F(AdmissionTest, TheListenersLimitComesFirst) {
  ClientTicket a;
  ClientTicket b;
  ClientTicket c;
  EXPECT_TRUE(admission_.admit(5, a) && admission_.admit(6, b));
  EXPECT_FALSE(admission_.admit(7, c));
  EXPECT_EQ(refused_, std::vector<Refusal>{Refusal::kListener});
  EXPECT_EQ(all_.count(), 2u);
}

TEST_F(AdmissionTest, WhoIsRefusedHoldsNoPlace) {
  all_.set_most(1);
  ClientTicket a;
  ClientTicket b;
  EXPECT_TRUE(admission_.admit(5, a));
  EXPECT_FALSE(admission_.admit(6, b));
  EXPECT_EQ(refused_, std::vector<Refusal>{Refusal::kProcess});
  EXPECT_EQ(own_.count(), 1u);
  a.release();
  EXPECT_TRUE(admission_.admit(6, b));
  EXPECT_EQ(own_.count() + all_.count(), 2u);
}

// Resets what is kept, since it is the process's.
class DescriptorsTest : public testing::Test {
 protected:
  ~DescriptorsTest() override { keep_last_descriptors(std::numeric_limits<uint64_t>::max()); }
};

TEST_F(DescriptorsTest, TheLastOnesAreKept) {
  EXPECT_EQ(kept_descriptors(16), 8u);
  EXPECT_EQ(kept_descriptors(128), 16u);
  EXPECT_EQ(kept_descriptors(1 << 20), 64u);
  EXPECT_TRUE(descriptor_may_be_used(1 << 30));
  keep_last_descriptors(64);
  EXPECT_TRUE(descriptor_may_be_used(55));
  EXPECT_FALSE(descriptor_may_be_used(56));
  Admission admission{.keep_descriptors = true};
  ClientTicket ticket;
  EXPECT_FALSE(admission.admit(56, ticket));
  EXPECT_TRUE(admission.admit(55, ticket));
  keep_last_descriptors(4);
  EXPECT_FALSE(descriptor_may_be_used(0));
}

TEST(Descriptors, AreCounted) {
  EXPECT_GE(open_descriptors(), 3u);
}

}  // namespace
}  // namespace inlay::net
