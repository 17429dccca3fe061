// SPDX-License-Identifier: Apache-2.0
#include "upstream/load_balancer.h"

#include <gtest/gtest.h>

#include <map>

namespace inlay::upstream {
namespace {

using LbPolicy = config::Cluster::LbPolicy;

std::map<size_t, int> count(LoadBalancer& lb, int turns) {
  std::map<size_t, int> seen;
  for (int i = 0; i < turns; ++i) ++seen[lb.choose()];
  return seen;
}

TEST(LoadBalancer, RoundRobinGivesEachHostItsTurn) {
  auto lb = LoadBalancer::create(LbPolicy::kRoundRobin, {1, 1, 1}, {}, 7);
  const size_t first = lb->choose();
  EXPECT_EQ(lb->choose(), (first + 1) % 3);
  EXPECT_EQ(lb->choose(), (first + 2) % 3);
  EXPECT_EQ(lb->choose(), first);
}

TEST(LoadBalancer, RoundRobinHonoursWeightsAndSpreadsThem) {
  auto lb = LoadBalancer::create(LbPolicy::kRoundRobin, {1, 3}, {}, 0);
  EXPECT_EQ(count(*lb, 400), (std::map<size_t, int>{{0, 100}, {1, 300}}));
  // No host gets a burst longer than its share.
  int run = 0;
  for (int i = 0; i < 100; ++i) {
    run = lb->choose() == 1 ? run + 1 : 0;
    EXPECT_LE(run, 3);
  }
}

TEST(LoadBalancer, RandomFollowsWeights) {
  auto lb = LoadBalancer::create(LbPolicy::kRandom, {1, 9}, {}, 42);
  auto seen = count(*lb, 10'000);
  EXPECT_NEAR(seen[0], 1000, 150);
  EXPECT_NEAR(seen[1], 9000, 150);
}

TEST(LoadBalancer, LeastRequestPrefersTheIdleHost) {
  const uint32_t busy = 50, idle = 0;
  auto lb = LoadBalancer::create(LbPolicy::kLeastRequest, {1, 1}, {&busy, &idle}, 42);
  auto seen = count(*lb, 1000);
  // The busy host is taken only where both draws hit it: a quarter of the time.
  EXPECT_NEAR(seen[0], 250, 80);
}

TEST(LoadBalancer, OneHostIsAlwaysChosen) {
  const uint32_t active = 0;
  for (const LbPolicy policy : {LbPolicy::kRoundRobin, LbPolicy::kLeastRequest, LbPolicy::kRandom}) {
    auto lb = LoadBalancer::create(policy, {1}, {&active}, 1);
    EXPECT_EQ(count(*lb, 10), (std::map<size_t, int>{{0, 10}}));
  }
}

}  // namespace
}  // namespace inlay::upstream
