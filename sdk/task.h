// SPDX-License-Identifier: Apache-2.0
#pragma once

// Task<T>: a coroutine that gives a T. It starts when it is awaited, or when a context spawns it; frames come from
// operator new; nothing is thrown. A Task that is destroyed before its end takes its frame, its local objects, and all
// that it awaits, with it.
//
//     class Clock : public RootContext {
//       Task<int> answer() { co_await sleep(10ms); co_return 42; }
//       Task<> run() { for (;;) log_info("the answer is ", co_await answer()); }
//     };
//
// A task belongs to the context that spawned it, and so do the tasks that it awaits, whichever object they are members
// of: it ends with that context, and that context is the effective one whenever it runs.
//
// Awaiting a task that ends without suspending does not grow the stack, so an endless loop of such tasks is safe.
// Pass arguments by value, or by reference to what outlives the coroutine: a reference to a temporary dangles after the
// first suspension. With GCC 12, which serves natively, give what an awaited task returns a name before you look at it:
// its `if (co_await task())` destroys the task twice when it is cancelled.

#include <coroutine>
#include <optional>
#include <utility>

namespace inlay::sdk {

class Context;
template <class T = void>
class Task;

namespace detail {

// TaskNode: an element of a ring that takes itself out when it dies. A list is an element of its own.
struct TaskNode {
  TaskNode* previous = this;
  TaskNode* next = this;

  TaskNode() = default;
  TaskNode(const TaskNode&) = delete;
  TaskNode& operator=(const TaskNode&) = delete;
  ~TaskNode() { unlink(); }
  void unlink() {
    previous->next = next;
    next->previous = previous;
    previous = next = this;
  }
  void link_before(TaskNode& other) {
    previous = other.previous;
    next = &other;
    previous->next = this;
    other.previous = this;
  }
};

struct PromiseBase : TaskNode {
  std::coroutine_handle<> continuation;
  Context* owner = nullptr;  // of the task that was spawned, here or further out
  bool detached = false;     // spawned: the frame frees itself at the end

  struct FinalAwaiter {
    bool detached;
    bool await_ready() const noexcept { return detached; }
    // The resumed coroutine may free this frame. Inlined, a compiler may still write to it afterwards.
    template <class Promise>
    __attribute__((noinline)) void await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      if (const std::coroutine_handle<> next = self.promise().continuation) next.resume();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {detached}; }
  void unhandled_exception() const noexcept { __builtin_trap(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() { return *std::move(value); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void take() const {}
};

}  // namespace detail

// Task owns the frame of a coroutine that has not been spawned. It can be moved, not copied. `co_await task()` runs it
// and gives its T; await it once, and only in a task. Tasks are functions, members or lambdas (whose captures must
// outlive them) that return Task<T> and have a co_await or co_return in them.
template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  // release: gives the frame away; whoever takes it destroys it. For the SDK's own use, as are the rest.
  Handle release() { return std::exchange(handle_, nullptr); }

  struct Awaiter {
    Handle task;
    bool await_ready() const noexcept { return false; }
    // Runs the task to its first suspension; the caller goes on at once if it has ended by then. Tasks are awaited by
    // tasks only.
    template <class Promise>
    __attribute__((noinline)) bool await_suspend(std::coroutine_handle<Promise> caller) const {
      task.promise().owner = caller.promise().owner;
      task.resume();
      if (task.done()) return false;
      task.promise().continuation = caller;
      return true;
    }
    T await_resume() const { return task.promise().take(); }
  };
  Awaiter operator co_await() const { return {handle_}; }

 private:
  Handle handle_;
};

namespace detail {

template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

// TaskList owns the frames of the tasks that one context has spawned. The list's owner cancels them before the list
// dies.
class TaskList {
 public:
  TaskList() = default;
  TaskList(const TaskList&) = delete;
  TaskList& operator=(const TaskList&) = delete;

  // adopt: takes the task, which has not begun, and frees its frame when it ends.
  std::coroutine_handle<> adopt(Task<> task, Context& owner) {
    const auto handle = task.release();
    handle.promise().owner = &owner;
    handle.promise().detached = true;
    handle.promise().link_before(tasks_);
    return handle;
  }

  // cancel: destroys every task at the place where it is suspended.
  void cancel() {
    while (tasks_.next != &tasks_) {
      auto& promise = static_cast<Promise<void>&>(*tasks_.next);
      promise.unlink();
      std::coroutine_handle<Promise<void>>::from_promise(promise).destroy();
    }
  }

 private:
  TaskNode tasks_;
};

}  // namespace detail
}  // namespace inlay::sdk
