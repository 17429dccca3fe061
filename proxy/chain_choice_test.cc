// SPDX-License-Identifier: Apache-2.0
#include "proxy/chain_choice.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace inlay::proxy {
namespace {

using config::FilterChainMatch;

class ChooseChain : public ::testing::Test {
 protected:
  // The place of the chain that is chosen, -1: none.
  int choose(std::string_view name, bool tls = true) {
    std::vector<const FilterChainMatch*> all;
    for (const FilterChainMatch& match : chains_) all.push_back(&match);
    const auto chosen = choose_chain(all, name, tls);
    return chosen ? static_cast<int>(*chosen) : -1;
  }
  std::vector<FilterChainMatch> chains_;
};

TEST_F(ChooseChain, TheNearestName) {
  chains_ = {{{"*.test"}, "", false}, {{"*.b.test"}, "", false}, {{"a.b.test", "c.test"}, "", false}, {{}, "", false}};
  EXPECT_EQ(choose("a.b.test"), 2);
  EXPECT_EQ(choose("x.b.test"), 1);
  EXPECT_EQ(choose("y.x.b.test"), 1);
  EXPECT_EQ(choose("b.test"), 0);
  EXPECT_EQ(choose("c.test"), 2);
  EXPECT_EQ(choose("test"), 3);
  EXPECT_EQ(choose(""), 3);
}

TEST_F(ChooseChain, TheProtocolBeforeAny) {
  chains_ = {{{}, "", false}, {{}, "tls", false}};
  EXPECT_EQ(choose("", true), 1);
  EXPECT_EQ(choose("", false), 0);
}

TEST_F(ChooseChain, NoWayBackFromAName) {
  chains_ = {{{"a.test"}, "raw_buffer", false}, {{}, "", false}};
  EXPECT_EQ(choose("a.test", true), -1);
  chains_.push_back({{}, "", true});
  EXPECT_EQ(choose("a.test", true), 2);
}

TEST_F(ChooseChain, TheDefaultForWhatNoOtherTakes) {
  chains_ = {{{"a.test"}, "", false}, {{}, "", true}};
  EXPECT_EQ(choose("a.test"), 0);
  EXPECT_EQ(choose("b.test"), 1);
  EXPECT_EQ(choose("", false), 1);
  chains_.pop_back();
  EXPECT_EQ(choose("b.test"), -1);
}

// A connection of nobody: what comes on it is what the test says.
class Idle final : public net::Connection {
 public:
  explicit Idle(net::ConnectionHandler*& handler) : handler_(handler) {}
  void set_handler(net::ConnectionHandler* handler) override { handler_ = handler; }
  void pause_reading() override {}
  void resume_reading() override {}
  void write(Buffer& data) override { data.clear(); }
  void write(std::string_view) override {}
  size_t unsent() const override { return 0; }
  void set_write_watermark(size_t) override {}
  void shutdown_write() override {}
  void close(Close) override {}
  void set_linger(std::chrono::milliseconds) override {}
  void set_flush_timeout(std::chrono::milliseconds) override {}
  const Address& local_address() const override { return address_; }
  const Address& remote_address() const override { return address_; }

 private:
  net::ConnectionHandler*& handler_;
  Address address_;
};

// The client's bytes come in the turn of the loop in which its time is over, too.
TEST(ChainChoice, ADecisionStopsTheClock) {
  net::EventLoop loop;
  stats::MetricStore metrics(1);
  config::Listener listener;
  listener.address = {"127.0.0.1", 1};
  listener.choice_timeout = std::chrono::milliseconds(1);
  listener.goes_on_without_choice = true;
  const FilterChainMatch any;
  int accepted = 0;
  ChainChoice choice(loop, listener, metrics, {{&any, [&](std::unique_ptr<net::Connection>) { ++accepted; }}});
  net::ConnectionHandler* handler = nullptr;
  choice.accept(std::make_unique<Idle>(handler));
  Buffer bytes;
  bytes.append("GET / HTTP/1.1\r\n");
  net::DeferredTask read(loop, net::DeferredTask::When::kNextTurn, [&] { handler->on_data(bytes, false); });
  read.schedule();
  std::this_thread::sleep_for(2 * net::Timer::kGranularity);
  loop.run_once(std::chrono::milliseconds(0));
  EXPECT_EQ(accepted, 1);
  EXPECT_TRUE(choice.all_decided());
  const std::string timeouts = "listener.127.0.0.1_1.downstream_pre_cx_timeout";
  EXPECT_EQ(stats::Counter(metrics.define(abi::MetricType::kCounter, timeouts)).value(), 0);
}

}  // namespace
}  // namespace inlay::proxy
