// SPDX-License-Identifier: Apache-2.0
#include "proxy/memory_return.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace inlay::proxy {
namespace {

using namespace std::chrono_literals;

class MemoryReturnTest : public ::testing::Test {
 protected:
  void turn() { loop_.run_once(0ms); }

  net::EventLoop loop_;
  int given_ = 0;
};

TEST_F(MemoryReturnTest, OnceForPeaksThatEndTogether) {
  MemoryReturn memory(
      loop_, [this] { ++given_; }, 1h);
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) workers.emplace_back([&] { memory.on_peak_over(); });
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(given_, 0);  // the workers have not waited for it
  turn();
  EXPECT_EQ(given_, 1);
}

TEST_F(MemoryReturnTest, NotAgainTooSoon) {
  MemoryReturn memory(
      loop_, [this] { ++given_; }, 1h);
  for (int i = 0; i < 5; ++i) {
    memory.on_peak_over();
    turn();
  }
  EXPECT_EQ(given_, 1);
}

TEST_F(MemoryReturnTest, WhatCameTooSoonIsDoneLaterAndOnce) {
  MemoryReturn memory(
      loop_,
      [this] {
        ++given_;
        if (given_ == 2) loop_.stop();
      },
      20ms);
  memory.on_peak_over();
  loop_.post([&] { memory.on_peak_over(); });
  loop_.post([&] { memory.on_peak_over(); });
  loop_.run();
  EXPECT_EQ(given_, 2);
  // Nobody has asked since: a timer behind that of the rest ends the loop.
  net::Timer end(loop_, [this] { loop_.stop(); });
  end.arm(100ms);
  loop_.run();
  EXPECT_EQ(given_, 2);
}

}  // namespace
}  // namespace inlay::proxy
