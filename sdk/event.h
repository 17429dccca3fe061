// SPDX-License-Identifier: Apache-2.0
#pragma once

// Event: what a task waits for that neither time nor a call brings: an item of a shared queue, another stream's word,
// something new in the root context. Tasks of any context may wait, any number at a time; each goes on as its own
// context, within notify().
//
//     class Root : public RootContext {
//      public:
//       void on_queue_ready(uint32_t) override { changed.notify(); }
//       Event changed;
//     };
//     class Stream : public HttpContext {
//      public:
//       explicit Stream(Root& root) : root_(root) {}
//       HeadersStatus on_request_headers(size_t, bool) override {
//         spawn(wait_for_change());
//         return HeadersStatus::kStopAllIterationAndWatermark;
//       }
//
//      private:
//       Task<> wait_for_change() {
//         if (!co_await root_.changed.wait(2s)) co_return reply(503);
//         resume_request();
//       }
//       Root& root_;
//     };

#include "sdk/context.h"

namespace inlay::sdk {

// Event has no state: a notify() that comes when nobody waits is not kept. It is a member of something that outlives
// those that wait, such as the root context, and is neither copied nor moved.
class Event {
  class Awaiter : public detail::TaskNode {
   public:
    Awaiter(detail::TaskNode& waiting, Duration timeout) : waiting_(waiting), timeout_(timeout) {}
    bool await_ready() const { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
      waiter_.suspend(coroutine);
      link_before(waiting_);
      if (timeout_ != Duration::max()) waiter_.owner->scheduler_->arm(waiter_, timeout_);
    }
    bool await_resume() {
      unlink();  // after a timeout it is still in the list
      return waiter_.answered;
    }
    void notify() {
      unlink();
      waiter_.answered = true;
      detail::Scheduler& scheduler = *waiter_.owner->scheduler_;
      waiter_.resume();
      scheduler.settle();
    }

   private:
    detail::TaskNode& waiting_;
    Duration timeout_;
    detail::Waiter waiter_;
  };

 public:
  // wait: co_await event.wait() suspends the task and gives true when notify is called, false if that takes longer than
  // `timeout`, which is rounded up to whole milliseconds. Without one it waits until its context ends. An event that
  // dies leaves those that wait without a timeout until then.
  [[nodiscard]] Awaiter wait(Duration timeout = Duration::max()) { return Awaiter(waiting_, timeout); }

  // notify: resumes all tasks that wait now, in the order in which they came, each to its next suspension, before it
  // returns. One that waits again in the meantime waits for the next notify. A task of a context that the host does not
  // make the effective one is not resumed: the log says so.
  void notify() {
    detail::TaskNode now;
    if (waiting_.next != &waiting_) {
      now.link_before(*waiting_.next);  // the whole ring, and then without its old list
      waiting_.unlink();
    }
    while (now.next != &now) static_cast<Awaiter*>(now.next)->notify();
  }

 private:
  detail::TaskNode waiting_;
};

}  // namespace inlay::sdk
