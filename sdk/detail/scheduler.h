// SPDX-License-Identifier: Apache-2.0
#pragma once

// Scheduler: many sleeps and calls over the one timer that the ABI gives a root context, for the tasks of that context
// and of its streams. It asks the host for a tick at the nearest deadline and for none when nothing waits. One for each
// root context; not thread-safe, as a guest has one thread.

#include <coroutine>
#include <cstdint>

#include "sdk/clock.h"
#include "sdk/task.h"

namespace inlay::sdk::detail {

// resume_as: resumes a coroutine of `owner`'s with `owner` as the effective context, or, where the host does not have
// it so, not at all. set_tick_period: of that root context. (sdk/detail/vm.h)
void resume_as(Context& owner, std::coroutine_handle<> coroutine);
void set_tick_period(Context& root, uint32_t period_ms);

// Waiter is a suspended coroutine's place in the scheduler: it waits for a deadline. It lives in the coroutine's frame
// and takes itself out when the frame dies.
struct Waiter : TaskNode {
  std::coroutine_handle<> coroutine;
  Context* owner = nullptr;  // of the coroutine
  uint64_t deadline_ns = 0;
  uint32_t call_id = 0;
  bool is_call = false;  // waits for the answer to that call as well
  bool answered = false;
  size_t num_headers = 0;  // of the answer
  size_t body_size = 0;
  uint32_t round = 0;  // the tick after which it was armed; a tick wakes only those that were there before it

  template <class Promise>
  void suspend(std::coroutine_handle<Promise> awaiting) {
    coroutine = awaiting;
    owner = awaiting.promise().owner;
  }
  void resume() {
    unlink();
    resume_as(*owner, coroutine);
  }
};

class Scheduler {
 public:
  explicit Scheduler(Context& root) : root_(root) {}
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // arm: the waiter is resumed when `delay` has passed.
  void arm(Waiter& waiter, Duration delay) {
    const uint64_t now = current_ns();
    const uint64_t length = delay.count() < 1 ? 1 : static_cast<uint64_t>(delay.count());
    waiter.deadline_ns = length > (UINT64_MAX - now) / kNsPerMs ? UINT64_MAX : now + length * kNsPerMs;
    waiter.round = round_;
    // They stand in order of their deadlines. Most wait for as long as those before them.
    TaskNode* place = &waiters_;
    while (place->previous != &waiters_ && static_cast<Waiter&>(*place->previous).deadline_ns > waiter.deadline_ns)
      place = place->previous;
    waiter.link_before(*place);
  }

  // on_tick: resumes all whose deadline has come. A coroutine that sleeps again in the meantime waits for the next
  // tick.
  void on_tick() {
    const uint64_t now = current_ns();
    ++round_;
    ticks_at_ns_ = period_ms_ == 0 ? 0 : now + period_ms_ * kNsPerMs;
    while (Waiter* due = next_due(now)) due->resume();
    settle();
  }

  // on_call_response: resumes who waits for `call_id`. False if nobody does.
  bool on_call_response(uint32_t call_id, size_t num_headers, size_t body_size) {
    for (TaskNode* n = waiters_.next; n != &waiters_; n = n->next) {
      auto& waiter = static_cast<Waiter&>(*n);
      if (!waiter.is_call || waiter.call_id != call_id) continue;
      waiter.answered = true;
      waiter.num_headers = num_headers;
      waiter.body_size = body_size;
      waiter.resume();
      settle();
      return true;
    }
    return false;
  }

  // settle: asks for the tick that the nearest deadline needs, unless the one under way does. For whoever has resumed
  // or spawned a task.
  void settle() {
    if (waiters_.next == &waiters_) return set_period(0, 0);
    const uint64_t nearest = static_cast<Waiter&>(*waiters_.next).deadline_ns;
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
    for (TaskNode* n = waiters_.next; n != &waiters_; n = n->next) {
      auto& waiter = static_cast<Waiter&>(*n);
      if (waiter.deadline_ns > now) break;
      if (waiter.round != round_) return &waiter;
    }
    return nullptr;
  }

  void set_period(uint64_t period_ms, uint64_t ticks_at_ns) {
    ticks_at_ns_ = ticks_at_ns;
    if (period_ms == 0 && period_ms_ == 0) return;
    period_ms_ = period_ms;
    set_tick_period(root_, static_cast<uint32_t>(period_ms));
  }

  Context& root_;
  TaskNode waiters_;
  uint64_t last_ns_ = 0;
  uint64_t period_ms_ = 0;
  uint64_t ticks_at_ns_ = 0;
  uint32_t round_ = 0;
};

}  // namespace inlay::sdk::detail
