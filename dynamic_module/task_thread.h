// SPDX-License-Identifier: Apache-2.0
#pragma once

// TaskThread: a thread of the module's own, on which guests' ticks and the answers to their call-outs run, so that a
// slow guest stops neither Envoy's main thread nor a worker. Tasks run one after the other, those that are due first.
//
//     TaskThread thread;
//     const TaskThread::Id id = thread.run_at(std::chrono::steady_clock::now() + 10ms, [] { tick(); });
//     thread.cancel(id);

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace inlay::dynamic_module {

class TaskThread {
 public:
  using Task = std::function<void()>;
  using Clock = std::chrono::steady_clock;
  // Of a task that waits; never 0.
  using Id = uint64_t;

  TaskThread();
  // As stop().
  ~TaskThread();
  TaskThread(const TaskThread&) = delete;
  TaskThread& operator=(const TaskThread&) = delete;

  // Any thread. A task must not throw. After stop() nothing runs any more.
  void post(Task task) { run_at(Clock::time_point::min(), std::move(task)); }
  Id run_at(Clock::time_point when, Task task);
  // Any thread. Nothing happens to a task that runs or has run.
  void cancel(Id id);
  // Waits for the task that runs, and destroys those that wait. Not on this thread.
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<Clock::time_point, Id>, Task> waiting_;  // of one time: the order in which they came
  std::map<Id, Clock::time_point> times_;
  Id last_ = 0;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace inlay::dynamic_module
