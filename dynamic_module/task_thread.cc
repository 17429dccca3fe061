// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/task_thread.h"

#include <pthread.h>
#include <signal.h>

namespace inlay::dynamic_module {

// Envoy takes signals on its main thread: none of its own may end up here.
TaskThread::TaskThread() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) sigdelset(&all, fault);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) sigdelset(&all, signal);  // the watchdog's is among them
  pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TaskThread::~TaskThread() {
  stop();
}

TaskThread::Id TaskThread::run_at(Clock::time_point when, Task task) {
  const std::lock_guard lock(mutex_);
  const Id id = ++last_;
  if (stopped_) return id;
  waiting_.emplace(std::pair(when, id), std::move(task));
  times_.emplace(id, when);
  changed_.notify_one();
  return id;
}

void TaskThread::cancel(Id id) {
  Task cancelled;  // destroyed without the lock: what it holds may come back to us
  const std::lock_guard lock(mutex_);
  const auto time = times_.find(id);
  if (time == times_.end()) return;
  cancelled = std::move(waiting_.extract({time->second, id}).mapped());
  times_.erase(time);
}

void TaskThread::stop() {
  decltype(waiting_) left;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    left.swap(waiting_);
    times_.clear();
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void TaskThread::run() {
  pthread_setname_np(pthread_self(), "inlay");
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    if (waiting_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto first = waiting_.begin();
    const Clock::time_point due = first->first.first;  // wait_until() looks at it again, when the task may be cancelled
    if (due > Clock::now()) {
      changed_.wait_until(lock, due);
      continue;
    }
    times_.erase(first->first.second);
    Task task = std::move(waiting_.extract(first).mapped());
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

}  // namespace inlay::dynamic_module
