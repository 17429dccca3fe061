// SPDX-License-Identifier: Apache-2.0
#pragma once

// TimerWheel: the timers of one EventLoop, in four wheels of 256 slots (5 ms, 1.28 s, 5.5 min and 23 h a slot). Arming
// later and disarming only note the new time; a timer is looked at again when its slot comes up. Inside of net/.

#include <array>
#include <cstdint>

#include "net/event_loop.h"

namespace inlay::net {

class TimerWheel {
 public:
  // `now` in nanoseconds, as in all of this class.
  explicit TimerWheel(int64_t now);

  void arm(Timer& timer, int64_t due);
  static void disarm(Timer& timer) { timer.due_ = 0; }
  static void unlink(Timer& timer);
  // Fires what is due.
  void advance(int64_t now);
  // Goes on at `now`, with all timers due later by `by`, as if the time in between had not gone by.
  void postpone(int64_t now, int64_t by);
  // When advance() is needed next; INT64_MAX: never.
  int64_t next_wake() const;

 private:
  static constexpr int64_t kTick = 5'000'000;
  static constexpr int kLevels = 4;
  static constexpr uint64_t kSlots = 256;
  static constexpr uint64_t kNever = UINT64_MAX;

  static uint64_t tick_of(int64_t due) { return static_cast<uint64_t>((due + kTick - 1) / kTick); }
  void insert(Timer& timer, uint64_t earliest);
  void cascade(int level);
  void run_slot(Timer*& slot);
  void find_next();

  std::array<std::array<Timer*, kSlots>, kLevels> slots_{};
  uint64_t current_;        // the last tick that was handled
  uint64_t next_ = kNever;  // no slot comes up before this tick
};

}  // namespace inlay::net
