// SPDX-License-Identifier: Apache-2.0
#include "net/timer_wheel.h"

#include <algorithm>
#include <vector>

namespace inlay::net {

TimerWheel::TimerWheel(int64_t now) : current_(static_cast<uint64_t>(now / kTick)) {}

void TimerWheel::arm(Timer& timer, int64_t due) {
  timer.due_ = std::max<int64_t>(due, 1);
  if (timer.previous_ && tick_of(timer.due_) >= timer.slot_tick_) return;
  unlink(timer);
  insert(timer, current_ + 1);
}

void TimerWheel::unlink(Timer& timer) {
  if (!timer.previous_) return;
  *timer.previous_ = timer.next_;
  if (timer.next_) timer.next_->previous_ = timer.previous_;
  timer.previous_ = nullptr;
  timer.next_ = nullptr;
}

void TimerWheel::insert(Timer& timer, uint64_t earliest) {
  const uint64_t furthest = current_ + (uint64_t{1} << 8 * kLevels) - 1;
  const uint64_t tick = std::clamp(tick_of(timer.due_), earliest, furthest);
  int level = 0;
  while (tick - current_ >= uint64_t{1} << 8 * (level + 1)) ++level;
  Timer*& slot = slots_[static_cast<size_t>(level)][(tick >> 8 * level) % kSlots];
  timer.slot_tick_ = tick;
  timer.next_ = slot;
  timer.previous_ = &slot;
  if (slot) slot->previous_ = &timer.next_;
  slot = &timer;
  // A slot of a higher wheel comes up when that wheel turns to it.
  next_ = std::min(next_, level == 0 ? tick : tick >> 8 * level << 8 * level);
}

void TimerWheel::cascade(int level) {
  Timer* list = slots_[static_cast<size_t>(level)][(current_ >> 8 * level) % kSlots];
  if (!list) return;
  *list->previous_ = nullptr;
  list->previous_ = &list;
  while (list) {
    Timer& timer = *list;
    unlink(timer);
    if (timer.due_ != 0) insert(timer, current_);  // this tick's own slot runs after the cascade
  }
}

void TimerWheel::run_slot(Timer*& slot) {
  if (!slot) return;
  Timer* list = slot;
  slot = nullptr;
  list->previous_ = &list;
  while (list) {
    Timer& timer = *list;
    unlink(timer);
    if (timer.due_ == 0) continue;
    if (tick_of(timer.due_) > current_) {
      insert(timer, current_ + 1);
      continue;
    }
    timer.due_ = 0;
    timer.on_fire_();
  }
}

void TimerWheel::advance(int64_t now) {
  const auto target = static_cast<uint64_t>(now / kTick);
  while (current_ < target) {
    if (next_ > target) {
      current_ = target;
      return;
    }
    current_ = std::max(current_ + 1, next_);
    for (int level = kLevels - 1; level > 0; --level) {
      if (current_ % (uint64_t{1} << 8 * level) == 0) cascade(level);
    }
    run_slot(slots_[0][current_ % kSlots]);
    find_next();
  }
}

void TimerWheel::postpone(int64_t now, int64_t by) {
  std::vector<Timer*> armed;
  for (auto& level : slots_) {
    for (Timer*& slot : level) {
      while (slot) {
        Timer& timer = *slot;
        unlink(timer);
        if (timer.due_ != 0) armed.push_back(&timer);
      }
    }
  }
  current_ = static_cast<uint64_t>(now / kTick);
  next_ = kNever;
  for (Timer* timer : armed) {
    timer->due_ += by;
    insert(*timer, current_ + 1);
  }
}

void TimerWheel::find_next() {
  next_ = kNever;
  for (int level = 0; level < kLevels; ++level) {
    const auto& slots = slots_[static_cast<size_t>(level)];
    const uint64_t base = current_ >> 8 * level;
    for (uint64_t i = 1; i <= kSlots; ++i) {
      if (!slots[(base + i) % kSlots]) continue;
      next_ = std::min(next_, (base + i) << 8 * level);
      break;
    }
  }
}

int64_t TimerWheel::next_wake() const {
  return next_ == kNever ? INT64_MAX : static_cast<int64_t>(next_) * kTick;
}

}  // namespace inlay::net
