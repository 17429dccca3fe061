// SPDX-License-Identifier: Apache-2.0
#pragma once

// EventLoop: a worker's thread of events, and the timers on it. A thin face over Boost.Asio so that only net/ compiles
// against it.
//
//     EventLoop loop;
//     TimerHandle t(loop, [] { ... });
//     t.arm(std::chrono::milliseconds(250));     // coarse: fires within kTimerGranularity after it is due
//     loop.run();                                 // until stop()

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace inlay::proxy::net {

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs on the calling thread until stop(). Work that is left is dropped.
  void run();
  void stop();                           // any thread
  void post(std::function<void()> task);  // any thread

  // Monotonic nanoseconds, read once per turn of the loop: what timers and durations are computed from.
  int64_t now() const;
  // Seconds since the epoch as an HTTP date ("Mon, 23 Nov 2026 01:02:03 GMT"), made once a second.
  std::string_view http_date();

  boost::asio::io_context& io();

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Timer: one-shot. Arming and disarming is O(1), without a system call or an allocation: streams arm several each.
// Loop thread only; must not outlive the loop. An armed timer that is destroyed does not fire.
class Timer {
 public:
  static constexpr std::chrono::milliseconds kGranularity{5};

  Timer(EventLoop& loop, std::function<void()> on_fire);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  void arm(std::chrono::milliseconds after);  // re-arms when armed
  void disarm();
  bool armed() const;

 private:
  friend class EventLoop;
  friend class TimerWheel;
  EventLoop& loop_;
  std::function<void()> on_fire_;
  Timer* next_ = nullptr;
  Timer* previous_ = nullptr;
  int64_t due_ = 0;  // nanoseconds; 0: not armed
};

}  // namespace inlay::proxy::net
