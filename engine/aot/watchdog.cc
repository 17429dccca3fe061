// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/watchdog.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/aot/traps.h"

namespace inlay::engine::aot {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLongestPeriod{20};
constexpr milliseconds kShortestPeriod{1};

class Watchdog {
 public:
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  void add(detail::ThreadState& state) {
    const std::lock_guard lock(mutex_);
    watched_.push_back({&state, static_cast<pid_t>(syscall(SYS_gettid)), 0, {}});
    if (!thread_.joinable()) start();
    wake_.notify_all();
  }

  void remove(detail::ThreadState& state) {
    const std::lock_guard lock(mutex_);
    std::erase_if(watched_, [&](const Watched& w) { return w.state == &state; });
  }

 private:
  struct Watched {
    detail::ThreadState* state;
    pid_t tid;
    uint64_t seen;            // ThreadState::active at an earlier look,
    Clock::time_point since;  // and when that value was seen first
  };

  // The watchdog's own thread takes no signal of the process.
  void start() {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (!stop_) {
      if (watched_.empty()) {
        wake_.wait(lock);
      } else {
        wake_.wait_for(lock, look());
      }
    }
  }

  // Looks at every thread once; returns when to look again.
  milliseconds look() {
    milliseconds next = kLongestPeriod;
    const auto now = Clock::now();
    for (Watched& w : watched_) {
      const uint64_t active = w.state->active.load(std::memory_order_relaxed);
      if (active == 0) continue;
      const milliseconds budget{static_cast<uint32_t>(active)};
      next = std::min(next, std::max(kShortestPeriod, budget / 8));
      if (active != w.seen) {
        w.seen = active;
        w.since = now;
      } else if (now - w.since >= budget) {
        w.state->expired.store(active, std::memory_order_relaxed);
        if (w.state->signalled.exchange(true, std::memory_order_relaxed)) continue;
        syscall(SYS_tgkill, getpid(), w.tid, interrupt_signal());
      }
    }
    return next;
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Watched> watched_;
  std::thread thread_;
  bool stop_ = false;
};

Watchdog& watchdog() {
  // Threads may end after static destructors have run, and then still unwatch themselves: never destroyed. The
  // process's end takes its thread away.
  static auto* the_watchdog = new Watchdog;
  return *the_watchdog;
}

}  // namespace

void watch(detail::ThreadState& thread) {
  watchdog().add(thread);
}
void unwatch(detail::ThreadState& thread) {
  watchdog().remove(thread);
}

}  // namespace inlay::engine::aot
