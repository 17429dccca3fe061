// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/task_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <vector>

namespace inlay::dynamic_module {
namespace {

using namespace std::chrono_literals;

TEST(TaskThread, RunsTasksInTheOrderOfTheirTimes) {
  TaskThread thread;
  std::promise<void> begun;
  std::promise<void> ready;
  std::promise<void> over;
  std::vector<int> order;
  thread.post([&] {
    begun.set_value();
    ready.get_future().wait();
  });
  begun.get_future().wait();
  const auto now = TaskThread::Clock::now();
  thread.run_at(now, [&] { order.push_back(3); });
  thread.run_at(now + 1us, [&] {
    order.push_back(4);
    over.set_value();
  });
  thread.post([&] { order.push_back(1); });
  thread.post([&] { order.push_back(2); });
  const TaskThread::Id cancelled = thread.run_at(now, [&] { order.push_back(5); });
  thread.cancel(cancelled);
  thread.cancel(cancelled);
  ready.set_value();
  over.get_future().wait();
  EXPECT_THAT(order, testing::ElementsAre(1, 2, 3, 4));
}

// For the sanitizer: what the thread waits for goes meanwhile.
TEST(TaskThread, TheTaskThatIsWaitedForIsCancelled) {
  TaskThread thread;
  for (int i = 0; i < 200; ++i) {
    const TaskThread::Id waited_for = thread.run_at(TaskThread::Clock::now() + 1h, [] { FAIL(); });
    std::this_thread::yield();
    thread.cancel(waited_for);
    std::promise<void> ran;
    thread.post([&] { ran.set_value(); });
    ran.get_future().wait();
  }
}

TEST(TaskThread, StopDestroysWhatWaits) {
  TaskThread thread;
  const auto held = std::make_shared<int>(1);
  thread.run_at(TaskThread::Clock::now() + 1h, [held] { FAIL(); });
  EXPECT_EQ(held.use_count(), 2);
  thread.stop();
  EXPECT_EQ(held.use_count(), 1);
  thread.post([held] { FAIL(); });
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace inlay::dynamic_module
