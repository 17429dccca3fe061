// SPDX-License-Identifier: Apache-2.0
#pragma once

// Time that stands still until a test moves it.

#include <atomic>
#include <chrono>

#include "host/embedder.h"

namespace inlay::testkit {

// VirtualClock starts at 2026-01-01T00:00:00Z, monotonic time at one hour. Any thread.
class VirtualClock final : public host::Clock {
 public:
  int64_t system_time() const override { return kStart + elapsed_.load() + step_.load(); }
  int64_t monotonic_time() const override { return monotonic_start_.load() + elapsed_.load(); }
  // Moves the clock alone; TestProxy::advance() also runs what is due.
  void move(std::chrono::nanoseconds by) { elapsed_ += by.count(); }
  // Sets the wall clock forward or back, as an operator or NTP does; the monotonic clock does not notice.
  void step(std::chrono::nanoseconds by) { step_ += by.count(); }
  // Has both clocks say that time. Before anything runs by them.
  void begin_at(std::chrono::nanoseconds time) {
    step_ = time.count() - kStart - elapsed_.load();
    monotonic_start_ = time.count() - elapsed_.load();
  }
  int64_t elapsed() const { return elapsed_.load(); }

 private:
  static constexpr int64_t kStart = 1'767'225'600'000'000'000;
  static constexpr int64_t kHour = 3'600'000'000'000;
  std::atomic<int64_t> elapsed_{0};
  std::atomic<int64_t> step_{0};
  std::atomic<int64_t> monotonic_start_{kHour};
};

}  // namespace inlay::testkit
