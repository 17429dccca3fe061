// SPDX-License-Identifier: Apache-2.0
#include "net/event_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <random>
#include <regex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/timer_wheel.h"

namespace inlay::net {
namespace {

using std::chrono::milliseconds;

TEST(EventLoop, RunsPostedTasksOfOtherThreadsInOrder) {
  EventLoop loop;
  std::vector<int> seen;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) loop.post([&seen, i] { seen.push_back(i); });
    loop.post([&loop] { loop.stop(); });
  });
  loop.run();
  other.join();
  ASSERT_EQ(seen.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST(EventLoop, TimersFireInOrderAndNeverEarly) {
  EventLoop loop;
  std::vector<int> order;
  const auto start = std::chrono::steady_clock::now();
  Timer late(loop, [&] {
    order.push_back(3);
    loop.stop();
  });
  Timer early(loop, [&] { order.push_back(1); });
  Timer middle(loop, [&] { order.push_back(2); });
  late.arm(milliseconds(40));
  middle.arm(milliseconds(20));
  early.arm(milliseconds(0));
  loop.run();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(40));
}

// A start may take long between what a guest arms and the first turn.
TEST(EventLoop, TimersThatAreArmedBeforeItRunsCountFromThere) {
  using Clock = std::chrono::steady_clock;
  EventLoop loop;
  std::vector<int> order;
  Clock::time_point fired;
  Timer first(loop, [&] { order.push_back(1); });
  Timer second(loop, [&] {
    order.push_back(2);
    fired = Clock::now();
    loop.stop();
  });
  Timer disarmed(loop, [&] { order.push_back(3); });
  second.arm(milliseconds(100));
  disarmed.arm(milliseconds(10));
  const auto armed = Clock::now();
  while (Clock::now() - armed < milliseconds(150)) std::this_thread::yield();
  first.arm(milliseconds(50));
  disarmed.disarm();
  const auto started = Clock::now();
  loop.run();
  EXPECT_GE(fired - started, milliseconds(100));
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(EventLoop, DisarmedAndDestroyedTimersDoNotFire) {
  EventLoop loop;
  bool fired = false;
  Timer disarmed(loop, [&] { fired = true; });
  auto destroyed = std::make_unique<Timer>(loop, [&] { fired = true; });
  Timer killer(loop, [&] {
    disarmed.disarm();
    destroyed.reset();
  });
  Timer end(loop, [&] { loop.stop(); });
  disarmed.arm(milliseconds(10));
  destroyed->arm(milliseconds(10));
  killer.arm(milliseconds(0));
  end.arm(milliseconds(30));
  loop.run();
  EXPECT_FALSE(fired);
  EXPECT_FALSE(disarmed.armed());
}

TEST(EventLoop, DeferredTasksRunOnceAndCanBeCancelled) {
  EventLoop loop;
  std::vector<int> order;
  DeferredTask after(loop, DeferredTask::When::kAfterEvent, [&] { order.push_back(1); });
  DeferredTask next(loop, DeferredTask::When::kNextTurn, [&] {
    order.push_back(2);
    loop.stop();
  });
  DeferredTask cancelled(loop, DeferredTask::When::kAfterEvent, [&] { order.push_back(3); });
  loop.post([&] {
    next.schedule();
    after.schedule();
    after.schedule();
    cancelled.schedule();
    cancelled.cancel();
  });
  loop.run();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

// What several events of a turn add to is written once; and before the loop looks for new events.
TEST(EventLoop, ATaskForAfterEventsRunsOnceForAllThatCameTogether) {
  struct Input final : IoHandler {
    std::function<void()> on_readable;
    void on_io(uint32_t) override { on_readable(); }
  };
  EventLoop loop;
  std::string order;
  DeferredTask each(loop, DeferredTask::When::kAfterEvent, [&] { order += "e"; });
  DeferredTask next(loop, DeferredTask::When::kNextTurn, [&] { order += "n"; });
  DeferredTask all(loop, DeferredTask::When::kAfterEvents, [&] {
    order += "A";
    each.schedule();
  });
  std::array<Input, 40> inputs;
  std::array<int, 40> descriptors{};
  for (size_t i = 0; i < inputs.size(); ++i) {
    inputs[i].on_readable = [&] {
      order += ".";
      each.schedule();
      all.schedule();
      next.schedule();
    };
    descriptors[i] = eventfd(1, EFD_CLOEXEC);
    ASSERT_TRUE(loop.watch(descriptors[i], EPOLLIN, inputs[i]));
  }
  loop.run_once(milliseconds(1000));
  const auto times = [](size_t n) {
    std::string made;
    for (size_t i = 0; i < n; ++i) made += ".e";
    return made;
  };
  EXPECT_EQ(order, times(32) + "Ae" + times(8) + "Aen");
  for (size_t i = 0; i < inputs.size(); ++i) {
    loop.unwatch(descriptors[i], inputs[i]);
    close(descriptors[i]);
  }
}

TEST(EventLoop, DeletesLaterAndNotOnTheStack) {
  struct Tracked {
    std::vector<std::string>& log;
    std::string name;
    std::function<void()> on_end = {};
    ~Tracked() {
      log.push_back(name + " ends");
      if (on_end) on_end();
    }
  };
  std::vector<std::string> log;
  {
    EventLoop loop;
    const auto make = [&](std::string name, std::function<void()> on_end = {}) {
      return std::unique_ptr<Tracked>(new Tracked{log, std::move(name), std::move(on_end)});
    };
    loop.post([&] {
      loop.delete_later(make("first", [&] { loop.delete_later(make("what the first leaves")); }));
      loop.delete_later(std::unique_ptr<Tracked>());
      log.emplace_back("task");
    });
    loop.run_once(milliseconds(0));
    EXPECT_THAT(std::exchange(log, {}), testing::ElementsAre("task", "first ends"));
    loop.run_once(milliseconds(-1));  // does not wait for an event
    EXPECT_THAT(std::exchange(log, {}), testing::ElementsAre("what the first leaves ends"));

    loop.delete_later(make("second", [&] { loop.delete_later(make("what the second leaves")); }));
    loop.delete_now();
    EXPECT_THAT(std::exchange(log, {}), testing::ElementsAre("second ends", "what the second leaves ends"));
    loop.delete_later(make("last"));
  }
  EXPECT_THAT(log, testing::ElementsAre("last ends"));
}

TEST(EventLoop, HttpDateHasTheFixedForm) {
  EventLoop loop;
  const std::regex form(
      "(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT");
  EXPECT_TRUE(std::regex_match(std::string(loop.http_date()), form)) << loop.http_date();
}

// The wheel on a clock of its own: random arming, re-arming and disarming against a list of what is due.
TEST(TimerWheel, AgreesWithASimpleModelOnRandomInput) {
  constexpr int64_t kMs = 1'000'000;
  constexpr int64_t kTick = 5 * kMs;
  EventLoop loop;
  std::mt19937_64 random(7);
  int64_t now = 12'345 * kMs;
  TimerWheel wheel(now);
  std::vector<std::unique_ptr<Timer>> timers;
  std::vector<int64_t> due(200, 0);
  for (size_t i = 0; i < due.size(); ++i) {
    timers.push_back(std::make_unique<Timer>(loop, [&, i] {
      EXPECT_NE(due[i], 0) << "timer " << i << " was not armed";
      EXPECT_LE(due[i], now) << "timer " << i << " fired early";
      due[i] = 0;
    }));
  }
  for (int step = 0; step < 20'000; ++step) {
    const size_t i = random() % due.size();
    if (random() % 4 == 0) {
      TimerWheel::disarm(*timers[i]);
      due[i] = 0;
    } else {
      static constexpr int64_t kSpans[] = {20, 2'000, 400'000, 90'000'000};
      due[i] = now + static_cast<int64_t>(random() % static_cast<uint64_t>(kSpans[random() % 4])) * kMs;
      wheel.arm(*timers[i], due[i]);
    }
    now += static_cast<int64_t>(random() % (step % 100 == 0 ? 3'000'000 : 40)) * kMs;
    wheel.advance(now);
    for (size_t k = 0; k < due.size(); ++k) {
      if (due[k] == 0) continue;
      ASSERT_GT(due[k] + kTick, now) << "timer " << k << " is late at step " << step;
      ASSERT_LE(wheel.next_wake(), due[k] + kTick) << "the loop would sleep past timer " << k;
    }
  }
}

}  // namespace
}  // namespace inlay::net
