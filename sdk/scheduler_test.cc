// SPDX-License-Identifier: Apache-2.0
// Tasks, sleeps and calls over a root context's one timer.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "sdk/sdk.h"
#include "sdk/testing/fake_host.h"

namespace inlay::sdk {
namespace {

using testing::FakeCall;
using testing::FakeHost;
using testing::FakeReply;
using testing::FakeWorker;

class ScriptRoot;
// What the root context under test runs, and what it notes.
struct Script {
  std::function<void(ScriptRoot&)> start;
  std::vector<std::string> notes;
  int destroyed = 0;
};
Script* script = nullptr;

struct Witness {
  ~Witness() { ++script->destroyed; }
};

class ScriptRoot : public RootContext {
 public:
  bool on_configure(size_t) override {
    script->start(*this);
    return true;
  }

  void note(std::string text) { script->notes.push_back(std::to_string(now_ms() % 1'000'000) + " " + std::move(text)); }

  Task<> every(std::string name, Duration period, int times) {
    const Witness witness;
    for (int i = 0; i < times; ++i) {
      co_await sleep(period);
      note(name);
    }
  }

  Task<> forever() {
    const Witness witness;
    for (;;) co_await sleep(10ms);
  }

  Task<int> call(std::string cluster, Duration timeout) {
    const Witness witness;
    const std::array<Pair, 3> headers = {{{":method", "GET"}, {":path", "/"}, {":authority", "a"}}};
    const HttpRequest request{.cluster = cluster, .headers = headers};
    const auto reply = co_await http_call(request, timeout);
    if (!reply) co_return -static_cast<int>(reply.error());
    const auto body = reply->body();
    note(std::string(body->view()));
    co_return static_cast<int>(reply->status);
  }

  Task<> call_and_note(std::string cluster, Duration timeout) {
    const int status = co_await call(cluster, timeout);
    note(cluster + "=" + std::to_string(status));
  }

  Task<int> three() { co_return 3; }

  Task<> many_ready() {
    int sum = 0;
    for (int i = 0; i < 200'000; ++i) sum += co_await three();
    note(std::to_string(sum));
  }
};

class OtherRoot : public RootContext {
 public:
  bool on_configure(size_t) override {
    script->notes.push_back("other");
    return true;
  }
};

INLAY_REGISTER("*", ScriptRoot);
INLAY_REGISTER("other", OtherRoot);

class SchedulerTest : public ::testing::Test {
 protected:
  SchedulerTest() {
    script = &script_;
    host_.time_ns = 0;
  }

  abi::ContextId run(std::function<void(ScriptRoot&)> start) {
    script_.start = std::move(start);
    return worker_.start("any", "");
  }

  Script script_;
  FakeHost host_;
  FakeWorker& worker_ = host_.add_worker();
};

using Notes = std::vector<std::string>;

TEST_F(SchedulerTest, ManySleepsShareOneTimer) {
  run([](ScriptRoot& root) {
    root.spawn(root.every("a", 30ms, 3));
    root.spawn(root.every("b", 50ms, 2));
  });
  host_.advance(1s);
  EXPECT_EQ(script_.notes, (Notes{"30 a", "50 b", "60 a", "90 a", "100 b"}));
  EXPECT_EQ(script_.destroyed, 2) << "a task that has ended frees its frame";
}

TEST_F(SchedulerTest, TimerIsOffWhenNothingWaits) {
  run([](ScriptRoot& root) { root.spawn(root.every("a", 30ms, 1)); });
  host_.advance(1s);
  const size_t calls = host_.host_calls;
  host_.advance(3600s);
  EXPECT_EQ(host_.host_calls, calls);
}

TEST_F(SchedulerTest, PeriodicSleepNeedsNoNewTimer) {
  run([](ScriptRoot& root) { root.spawn(root.forever()); });
  host_.advance(20ms);
  const size_t calls = host_.host_calls;
  host_.advance(10s);
  // A tick reads the clock a few times; it never sets the period again.
  EXPECT_LE(host_.host_calls - calls, 4u * 1000);
}

TEST_F(SchedulerTest, SleepOfNoTimeStillLetsOthersRun) {
  run([](ScriptRoot& root) { root.spawn(root.every("a", 0ms, 3)); });
  host_.advance(10ms);
  EXPECT_EQ(script_.notes, (Notes{"1 a", "2 a", "3 a"}));
}

TEST_F(SchedulerTest, CallsAnswerInTheirOwnOrder) {
  host_.services["slow"] = [](const FakeCall&) { return FakeReply{.status = 201, .body = "s", .delay_ms = 40}; };
  host_.services["fast"] = [](const FakeCall&) { return FakeReply{.status = 202, .body = "f", .delay_ms = 10}; };
  run([](ScriptRoot& root) {
    root.spawn(root.call_and_note("slow", 5s));
    root.spawn(root.call_and_note("fast", 5s));
    root.spawn(root.every("tick", 25ms, 1));
  });
  host_.advance(1s);
  EXPECT_EQ(script_.notes, (Notes{"10 f", "10 fast=202", "25 tick", "40 s", "40 slow=201"}));
}

TEST_F(SchedulerTest, CallThatCannotBeSentIsAnErrorAtOnce) {
  host_.services["down"] = [](const FakeCall&) { return FakeReply{.refuse = true}; };
  run([](ScriptRoot& root) {
    root.spawn(root.call_and_note("unknown", 5s));
    root.spawn(root.call_and_note("down", 5s));
  });
  EXPECT_EQ(script_.notes, (Notes{"0 unknown=-2", "0 down=-10"}));
}

TEST_F(SchedulerTest, ResetIsAnError) {
  host_.services["reset"] = [](const FakeCall&) { return FakeReply{.reset = true}; };
  run([](ScriptRoot& root) { root.spawn(root.call_and_note("reset", 5s)); });
  host_.advance(1s);
  EXPECT_EQ(script_.notes, (Notes{"0 reset=-11"}));
}

TEST_F(SchedulerTest, HostThatNeverAnswersIsGivenUpOn) {
  host_.services["silent"] = [](const FakeCall&) { return FakeReply{.silent = true}; };
  run([](ScriptRoot& root) { root.spawn(root.call_and_note("silent", 2s)); });
  host_.advance(10s);
  EXPECT_EQ(script_.notes, (Notes{"3000 silent=-11"}));
}

// As Envoy 1.40: 0 is no timeout, and none is longer than the ABI's int32.
TEST_F(SchedulerTest, CallWithoutATimeoutIsNotGivenUpOn) {
  host_.services["slow"] = [](const FakeCall&) { return FakeReply{.body = "s", .delay_ms = 60'000}; };
  run([](ScriptRoot& root) {
    root.spawn(root.call_and_note("slow", 0ms));
    root.spawn(root.call_and_note("slow", Duration::max()));
    root.spawn(root.call_and_note("slow", 1200 * 3600s));
    root.spawn(root.call_and_note("slow", -1ms));
  });
  EXPECT_EQ(script_.notes, (Notes{"0 slow=-2"})) << "a negative one is refused";
  ASSERT_EQ(host_.calls.size(), 3u);
  EXPECT_EQ(host_.calls[0].timeout_ms, 0u);
  EXPECT_EQ(host_.calls[1].timeout_ms, 2147483647u);
  EXPECT_EQ(host_.calls[2].timeout_ms, 2147483647u);
  host_.advance(70s);
  const Notes all{"0 slow=-2", "60000 s", "60000 slow=200", "60000 s", "60000 slow=200", "60000 s", "60000 slow=200"};
  EXPECT_EQ(script_.notes, all);
}

TEST_F(SchedulerTest, DeletedContextTakesItsTasksWithIt) {
  host_.services["slow"] = [](const FakeCall&) { return FakeReply{.delay_ms = 1000}; };
  const auto root = run([](ScriptRoot& r) {
    r.spawn(r.forever());
    r.spawn(r.call_and_note("slow", 5s));
  });
  host_.advance(100ms);
  worker_.stop(root);
  EXPECT_EQ(script_.destroyed, 2);
  host_.advance(5s);
  EXPECT_EQ(script_.notes, Notes{});
}

TEST_F(SchedulerTest, ClockThatIsSetBackDoesNotStallSleeps) {
  run([](ScriptRoot& root) { root.spawn(root.every("a", 100ms, 10)); });
  host_.has_steady_clock = false;
  host_.wall_step_ns = 3'600'000'000'000;
  host_.advance(250ms);
  const size_t before = script_.notes.size();
  EXPECT_GE(before, 2u);
  // The wall clock goes back an hour; ticks go on coming.
  host_.wall_step_ns = 0;
  host_.advance(300ms);
  EXPECT_GE(script_.notes.size(), before + 2);
}

TEST_F(SchedulerTest, StepsOfTheWallClockDoNotShow) {
  constexpr int64_t kDays = 1'000'000'000'000'000;  // a round number in the notes' milliseconds
  host_.time_ns = 10 * kDays;
  host_.services["s"] = [](const auto&) { return sdk::testing::FakeReply{.body = "ok", .delay_ms = 350}; };
  run([](ScriptRoot& root) {
    root.spawn(root.every("a", 100ms, 4));
    root.spawn(root.call_and_note("s", 1s));
  });
  for (const int64_t step : {kDays, -kDays, INT64_C(0)}) {
    host_.advance(100ms);
    host_.wall_step_ns = step;
  }
  host_.advance(1s);
  EXPECT_EQ(script_.notes, (Notes{"100 a", "200 a", "300 a", "350 ok", "350 s=200", "400 a"}));
}

TEST_F(SchedulerTest, TasksThatAreReadyDoNotGrowTheStack) {
  run([](ScriptRoot& root) { root.spawn(root.many_ready()); });
  EXPECT_EQ(script_.notes, (Notes{"0 600000"}));
}

TEST_F(SchedulerTest, RootIdPicksTheRegistration) {
  script_.start = [](ScriptRoot& root) { root.note("any"); };
  worker_.start("other", "");
  worker_.start("something", "");
  EXPECT_EQ(script_.notes, (Notes{"other", "0 any"}));
}

}  // namespace
}  // namespace inlay::sdk
