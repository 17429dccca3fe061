// SPDX-License-Identifier: Apache-2.0
#pragma once

// EventLoop: a worker's thread of events, and what runs on it: file descriptors (IoHandler), timers (Timer), work for
// a little later (DeferredTask), and tasks from other threads (post). It is epoll, edge-triggered, with one epoll_wait
// in each turn: no further system call for a timer, and none to change interest. RATIONALE.md says why not Boost.Asio.
//
//     EventLoop loop;
//     Timer timer(loop, [&] { loop.stop(); });
//     timer.arm(std::chrono::milliseconds(250));  // coarse: fires within Timer::kGranularity after it is due
//     std::thread other([&] { loop.post([] { std::puts("on the loop's thread"); }); });
//     loop.run();  // until stop()
//     other.join();
//
// All but stop() and post() is for the loop's thread, which is the one that calls run(). What is registered with a loop
// must not outlive it. Nothing here fails, but watch().

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace inlay::net {

// IoHandler is told of a file descriptor's events. The loop does not own it.
class IoHandler {
 public:
  // EPOLLIN and so on. It may unwatch and destroy itself, or any other handler, inside of the call. Edge-triggered:
  // read or write until EAGAIN, for the event does not come again.
  virtual void on_io(uint32_t epoll_events) = 0;
  // The loop has fetched an event for it, and on_io() is still to come in this turn. Set by the loop.
  bool announced() const { return announced_; }
  void set_announced(bool announced) { announced_ = announced; }

 protected:
  ~IoHandler() = default;

 private:
  bool announced_ = false;
};

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs on the calling thread until stop(). Work that is left is dropped. May be called again after it returned. Time
  // goes by for timers only while it runs: what was armed before counts from here, so that a long start cannot use up
  // the timeout of a call that it has begun.
  void run();
  // One turn: waits at most `limit` for events and handles them. For tests and nested tools.
  void run_once(std::chrono::milliseconds limit);
  // Runs the DeferredTasks that are scheduled for after the event, such as writing: for the end, when the loop runs no
  // more.
  void flush();
  // Lets run() return after the turn that is under way; called before, it lets the next run() return at once. Any
  // thread.
  void stop();
  // Runs `task` on the loop's thread in a later turn, in the order of the posts. One that has not run when the loop is
  // destroyed is destroyed with it. Any thread.
  void post(std::function<void()> task);

  // Owns the object from now on and destroys it in this turn or the next, between two events: what may be on the stack,
  // in a callback of its own, is deleted so (Envoy's deferredDelete). Loop thread only. What is left is destroyed with
  // the loop, unless the end of what it refers to calls delete_now().
  template <class T>
  void delete_later(std::unique_ptr<T> object) {
    delete_later(Deletion(object.release(), [](void* p) { delete static_cast<T*>(p); }));
  }
  // Destroys all that delete_later() has got. From no callback of any of it.
  void delete_now();

  // How often it has looked for events.
  uint64_t turn() const;
  // Monotonic nanoseconds, read when the loop is made, when it begins to run and once per turn: what timers and
  // durations are computed from.
  int64_t now() const;
  // Seconds since the epoch as an HTTP date ("Mon, 23 Nov 2026 01:02:03 GMT"), made once a second. The view is valid
  // to the next call.
  std::string_view http_date();

  // Watches a descriptor from now on, edge-triggered (level-triggered with `edge` false). False when the system refuses
  // (errno says why).
  bool watch(int fd, uint32_t events, IoHandler& handler, bool edge = true);
  // Forgets it; no event that is already fetched reaches the handler. Call before close(fd).
  void unwatch(int fd, IoHandler& handler);

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  using Deletion = std::unique_ptr<void, void (*)(void*)>;
  void delete_later(Deletion deletion);

  std::unique_ptr<Impl> impl_;
};

class TaskList;

// DeferredTask runs a function on the loop once after each schedule(): kAfterEvent right after the I/O event (or timer,
// or posted task) that is being handled, which is when writes are flushed; kAfterEvents when some more of the events
// that the loop has found together are handled, for what several of them may add to; kNextTurn after the loop has
// looked for new events, which is fair to other connections. Scheduling is O(1) and allocates nothing; scheduling twice
// runs it once. Loop thread only. A scheduled task that is destroyed does not run.
class DeferredTask {
 public:
  enum class When : uint8_t { kAfterEvent, kAfterEvents, kNextTurn };
  DeferredTask(EventLoop& loop, When when, std::function<void()> run);
  ~DeferredTask();
  DeferredTask(const DeferredTask&) = delete;
  DeferredTask& operator=(const DeferredTask&) = delete;
  void schedule();
  void cancel();
  bool scheduled() const { return previous_ != nullptr; }
  EventLoop& loop() { return loop_; }

 private:
  friend class TaskList;
  TaskList& list();
  EventLoop& loop_;
  std::function<void()> run_;
  DeferredTask* next_ = nullptr;
  DeferredTask** previous_ = nullptr;  // what points at this one
  When when_;
};

// Timer: one-shot. Arming and disarming is O(1), without a system call or an allocation: streams arm several each.
// Loop thread only; must not outlive the loop. An armed timer that is destroyed does not fire. The function may arm,
// disarm or destroy this or any other timer.
class Timer {
 public:
  static constexpr std::chrono::milliseconds kGranularity{5};

  Timer(EventLoop& loop, std::function<void()> on_fire);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  void arm(std::chrono::milliseconds after);  // an armed one begins anew
  void disarm();                              // nothing happens if it is not armed
  bool armed() const { return due_ != 0; }

 private:
  friend class TimerWheel;
  EventLoop& loop_;
  std::function<void()> on_fire_;
  Timer* next_ = nullptr;
  Timer** previous_ = nullptr;  // what points at this one; nullptr: in no slot
  uint64_t slot_tick_ = 0;      // the tick that its slot stands for
  int64_t due_ = 0;             // nanoseconds; 0: not armed
};

}  // namespace inlay::net
