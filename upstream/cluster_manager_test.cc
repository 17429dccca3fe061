// SPDX-License-Identifier: Apache-2.0
#include "upstream/cluster_manager.h"

#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>

#include "upstream/test_server.h"

namespace inlay::upstream {
namespace {

using namespace std::chrono_literals;
using testing::run_until;

// A resolver whose answer the test changes.
struct FakeDns {
  std::mutex mutex;
  Result<std::vector<std::string>> answer = std::vector<std::string>{"10.0.0.1"};
  void set(Result<std::vector<std::string>> a) {
    std::lock_guard lock(mutex);
    answer = std::move(a);
  }
  ResolveFunction function() {
    return [this](const std::string&, DnsFamily) {
      std::lock_guard lock(mutex);
      return answer;
    };
  }
};

class ClusterManagerTest : public ::testing::Test {
 protected:
  config::Cluster& add(std::string name, config::Cluster::Type type, size_t endpoints) {
    config::Cluster c;
    c.name = std::move(name);
    c.type = type;
    c.dns_refresh_rate = 10ms;
    for (size_t i = 0; i < endpoints; ++i) {
      config::Endpoint e;
      e.address = {type == config::Cluster::Type::kStatic ? "10.0.0." + std::to_string(i + 1) : "name.test", 80};
      c.endpoints.push_back(e);
    }
    clusters_.push_back(std::move(c));
    return clusters_.back();
  }
  std::set<std::string> hosts(WorkerCluster& cluster) {
    std::set<std::string> out;
    for (const auto& pool : cluster.pools()) out.insert(pool->host().address.host);
    return out;
  }
  net::EventLoop loop_;
  stats::MetricStore store_;
  std::vector<config::Cluster> clusters_;
  FakeDns dns_;
};

TEST_F(ClusterManagerTest, FindsClustersByName) {
  add("a", config::Cluster::Type::kStatic, 1);
  add("inbound|8081||", config::Cluster::Type::kStatic, 1);
  ClusterRegistry registry(clusters_, store_, nullptr);
  ClusterManager manager(loop_, registry);
  EXPECT_EQ(manager.find("inbound|8081||"), &manager.at(1));
  EXPECT_EQ(manager.find("b"), nullptr);
}

TEST_F(ClusterManagerTest, UnhealthyHostsAreLeftOutUnlessTooMany) {
  auto& cluster = add("a", config::Cluster::Type::kStatic, 2);
  cluster.endpoints[1].health = config::Endpoint::Health::kUnhealthy;
  {
    ClusterRegistry registry(clusters_, store_, nullptr);
    ClusterManager manager(loop_, registry);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(manager.at(0).choose_host()->host().address.host, "10.0.0.1");
  }
  cluster.endpoints[0].health = config::Endpoint::Health::kUnhealthy;
  ClusterRegistry registry(clusters_, store_, nullptr);
  ClusterManager manager(loop_, registry);
  EXPECT_NE(manager.at(0).choose_host(), nullptr) << "all are unhealthy: better one of them than none";
}

TEST_F(ClusterManagerTest, AClusterWithoutHostsHasNone) {
  add("a", config::Cluster::Type::kStatic, 0);
  ClusterRegistry registry(clusters_, store_, nullptr);
  ClusterManager manager(loop_, registry);
  EXPECT_EQ(manager.at(0).choose_host(), nullptr);
}

TEST_F(ClusterManagerTest, FollowsDnsAndKeepsTheLastGoodAnswer) {
  add("a", config::Cluster::Type::kStrictDns, 1);
  std::atomic<int> warnings{0};
  ClusterRegistry registry(
      clusters_, store_, [&](std::string_view) { ++warnings; }, dns_.function());
  ASSERT_TRUE(registry.wait_resolved(60s));
  ClusterManager manager(loop_, registry);
  WorkerCluster& cluster = manager.at(0);
  EXPECT_EQ(hosts(cluster), (std::set<std::string>{"10.0.0.1"}));
  const ConnectionPool* kept = cluster.choose_host();
  EXPECT_EQ(kept->host().hostname, "name.test");

  dns_.set(std::vector<std::string>{"10.0.0.2", "10.0.0.1"});
  ASSERT_TRUE(run_until(loop_, [&] { return cluster.pools().size() == 2; }));
  EXPECT_EQ(hosts(cluster), (std::set<std::string>{"10.0.0.1", "10.0.0.2"}));
  EXPECT_EQ(cluster.pools()[1].get(), kept) << "the pool of an address that stays is kept";

  dns_.set(Error{ErrorCode::kUnavailable, "SERVFAIL", ""});
  ASSERT_TRUE(run_until(loop_, [&] { return warnings > 2; }));
  EXPECT_EQ(cluster.pools().size(), 2u);

  dns_.set(std::vector<std::string>{"10.0.0.3"});
  ASSERT_TRUE(run_until(loop_, [&] { return hosts(cluster) == std::set<std::string>{"10.0.0.3"}; }));
}

TEST_F(ClusterManagerTest, NamesThatTakeTooLongAreWaitedForOnce) {
  add("a", config::Cluster::Type::kStrictDns, 1);
  std::promise<void> answer;
  ClusterRegistry registry(clusters_, store_, nullptr,
                           [&, asked = answer.get_future().share()](const auto&, DnsFamily) {
                             asked.wait();
                             return Result<std::vector<std::string>>(std::vector<std::string>{"10.0.0.1"});
                           });
  constexpr auto kAtMost = 300ms;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(registry.wait_resolved(kAtMost));
  EXPECT_GE(std::chrono::steady_clock::now() - start, kAtMost);
  for (int i = 0; i < 1000; ++i) ASSERT_FALSE(registry.wait_resolved(kAtMost));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 500 * kAtMost) << "each waits anew";
  answer.set_value();
  EXPECT_TRUE(registry.wait_resolved(60s));
}

TEST_F(ClusterManagerTest, AStopEndsTheWaitForNames) {
  add("a", config::Cluster::Type::kStrictDns, 1);
  std::promise<void> answer;
  ClusterRegistry registry(clusters_, store_, nullptr,
                           [&, asked = answer.get_future().share()](const auto&, DnsFamily) {
                             asked.wait();
                             return Result<std::vector<std::string>>(std::vector<std::string>{"10.0.0.1"});
                           });
  std::stop_source stop;
  std::thread stopping([&] { stop.request_stop(); });
  EXPECT_FALSE(registry.wait_resolved(24h, stop.get_token()));
  stopping.join();
  EXPECT_FALSE(registry.wait_resolved(24h, stop.get_token())) << "one that was stopped before";
  answer.set_value();
  EXPECT_TRUE(registry.wait_resolved(24h));
}

TEST_F(ClusterManagerTest, LogicalDnsTakesTheFirstAddress) {
  add("a", config::Cluster::Type::kLogicalDns, 1);
  dns_.set(std::vector<std::string>{"10.0.0.8", "10.0.0.9"});
  ClusterRegistry registry(clusters_, store_, nullptr, dns_.function());
  ASSERT_TRUE(registry.wait_resolved(60s));
  ClusterManager manager(loop_, registry);
  EXPECT_EQ(hosts(manager.at(0)), (std::set<std::string>{"10.0.0.8"}));
}

}  // namespace
}  // namespace inlay::upstream
