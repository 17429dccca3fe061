// SPDX-License-Identifier: Apache-2.0
#pragma once

// Scheduler: many sleeps, calls and spawned tasks over the one timer that the ABI gives a root context. It asks the
// host for a tick at the nearest deadline and for none when nothing waits. One for each root context; not thread-safe,
// as a guest has one thread.

#include <coroutine>
#include <cstdint>

#include "sdk/clock.h"
#include "sdk/task.h"

namespace inlay::sdk::detail {

// Waiter is a suspended coroutine's place in the scheduler: it waits for a deadline, and if call_id is not 0 for the
// answer to that call as well. It lives in the coroutine's frame and takes itself out when the frame dies.
struct Waiter : TaskNode {
  std::coroutine_handle<> coroutine;
  uint64_t deadline_ns = 0;
  uint32_t call_id = 0;
  bool is_call = false;
  bool answered = false;
  size_t num_headers = 0;  // of the answer
  size_t body_size = 0;
  uint32_t round = 0;  // the tick after which it was armed; a tick wakes only those that were there before it
};

class Scheduler {
 public:
  Scheduler() = default;
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  ~Scheduler() { cancel(); }

  void arm(Waiter& waiter, Duration delay) {
    const uint64_t now = current_ns();
    const uint64_t length = delay.count() < 1 ? 1 : static_cast<uint64_t>(delay.count());
    waiter.deadline_ns = length > (UINT64_MAX - now) / kNsPerMs ? UINT64_MAX : now + length * kNsPerMs;
    waiter.round = round_;
    waiter.link_before(waiters_);
  }

  // spawn: starts `task` and owns it until it ends or the context is deleted.
  void spawn(Task<> task) {
    const auto handle = task.release();
    handle.promise().detached = true;
    handle.promise().link_before(tasks_);
    handle.resume();
    settle();
  }

  // on_tick: resumes all whose deadline has come. A coroutine that sleeps again in the meantime waits for the next
  // tick.
  void on_tick() {
    const uint64_t now = current_ns();
    ++round_;
    ticks_at_ns_ = period_ms_ == 0 ? 0 : now + period_ms_ * kNsPerMs;
    while (Waiter* due = next_due(now)) resume(*due);
    settle();
  }

  // on_call_response: resumes who waits for `call_id`; an answer nobody waits for any longer is dropped.
  void on_call_response(uint32_t call_id, size_t num_headers, size_t body_size) {
    for (TaskNode* n = waiters_.next; n != &waiters_; n = n->next) {
      auto& waiter = static_cast<Waiter&>(*n);
      if (!waiter.is_call || waiter.call_id != call_id) continue;
      waiter.answered = true;
      waiter.num_headers = num_headers;
      waiter.body_size = body_size;
      resume(waiter);
      break;
    }
    settle();
  }

  // cancel: destroys every spawned task, where it stands.
  void cancel() {
    while (tasks_.next != &tasks_) {
      auto& promise = static_cast<Promise<void>&>(*tasks_.next);
      promise.unlink();
      std::coroutine_handle<Promise<void>>::from_promise(promise).destroy();
    }
  }

 private:
  static constexpr uint64_t kNsPerMs = 1'000'000;
  static constexpr uint64_t kMaxPeriodMs = 3'600'000;

  // current_ns: the host's steady time. Where that is the wall clock and was set back, all deadlines move with it.
  uint64_t current_ns() {
    const uint64_t now = steady_ns();
    if (now < last_ns_) {
      const uint64_t back = last_ns_ - now;
      for (TaskNode* n = waiters_.next; n != &waiters_; n = n->next) {
        auto& waiter = static_cast<Waiter&>(*n);
        if (waiter.deadline_ns != UINT64_MAX)
          waiter.deadline_ns -= back < waiter.deadline_ns ? back : waiter.deadline_ns;
      }
      ticks_at_ns_ = 0;
    }
    last_ns_ = now;
    return now;
  }

  Waiter* next_due(uint64_t now) {
    Waiter* due = nullptr;
    for (TaskNode* n = waiters_.next; n != &waiters_; n = n->next) {
      auto& waiter = static_cast<Waiter&>(*n);
      if (waiter.round == round_ || waiter.deadline_ns > now) continue;
      if (due == nullptr || waiter.deadline_ns < due->deadline_ns) due = &waiter;
    }
    return due;
  }

  static void resume(Waiter& waiter) {
    waiter.unlink();
    waiter.coroutine.resume();
  }

  // settle: asks for the tick that the nearest deadline needs, unless the one under way does.
  void settle() {
    uint64_t nearest = UINT64_MAX;
    for (TaskNode* n = waiters_.next; n != &waiters_; n = n->next) {
      const uint64_t deadline = static_cast<Waiter&>(*n).deadline_ns;
      if (deadline < nearest) nearest = deadline;
    }
    if (nearest == UINT64_MAX) return set_period(0, 0);
    if (nearest == ticks_at_ns_) return;
    const uint64_t now = current_ns();
    const uint64_t wait_ns = nearest > now ? nearest - now : 0;
    uint64_t period = (wait_ns + kNsPerMs - 1) / kNsPerMs;
    if (period == 0) period = 1;
    if (period > kMaxPeriodMs) period = kMaxPeriodMs;
    // Hosts start the period anew after each tick, so what is asked for and counts from now needs no asking.
    if (period == period_ms_ && ticks_at_ns_ == now + period * kNsPerMs) return;
    set_period(period, now + period * kNsPerMs);
  }

  void set_period(uint64_t period_ms, uint64_t ticks_at_ns) {
    ticks_at_ns_ = ticks_at_ns;
    if (period_ms == 0 && period_ms_ == 0) return;
    period_ms_ = period_ms;
    (void)proxy_set_tick_period_milliseconds(static_cast<uint32_t>(period_ms));
  }

  TaskNode tasks_;
  TaskNode waiters_;
  uint64_t last_ns_ = 0;
  uint64_t period_ms_ = 0;
  uint64_t ticks_at_ns_ = 0;
  uint32_t round_ = 0;
};

}  // namespace inlay::sdk::detail
