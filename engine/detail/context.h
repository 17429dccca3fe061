// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a call into AOT code needs on the fast path: the context that generated code sees, the record of one call
// (Activation) and the thread's own state. The first members of GuestContext are known to the generated C
// (compiler/wasm2c/shim.cc has the same struct in its text): change both together, with kShimAbi.

#include <atomic>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define INLAY_BUILTIN_SETJMP 1
// The compiler's own: three stores, and no C library interceptor between. Only x86-64 has it in both gcc and clang.
#define INLAY_SETJMP(buffer) __builtin_setjmp(buffer)
#define INLAY_LONGJMP(buffer) __builtin_longjmp(buffer, 1)
#else
#define INLAY_SETJMP(buffer) _setjmp(buffer)
#define INLAY_LONGJMP(buffer) _longjmp(buffer, 1)
#endif

namespace inlay::engine {
class Instance;
enum class TrapKind : uint8_t;
using NativeFunction = void (*)();
}  // namespace inlay::engine

namespace inlay::engine::detail {

// The words for a trap of this kind, which are the same whatever engine ran into it.
std::string_view sentence(TrapKind kind);

struct GuestContext {
  GuestContext() = default;
  GuestContext(const GuestContext&) = delete;
  GuestContext& operator=(const GuestContext&) = delete;

  // wasm2c passes an import either this context or, for an import that was called through a table, the address of a
  // pointer to it. Both begin with a pointer to the context.
  GuestContext* self = this;
  void* env = nullptr;                      // the first argument of every host function
  const NativeFunction* imports = nullptr;  // in the module's order of imports
  const char* stack_limit = nullptr;        // a host function is not called on a stack below this
  volatile uint32_t in_host = 1;            // 0 while generated code runs: only then a signal may unwind it
  volatile uint32_t pending = 0;            // Pending bits; not 0: unwind when the host function has returned
  // Below: not known to generated code.
  Instance* owner = nullptr;
  size_t stack_headroom = 0;
  uint32_t budget_ms = 0;
};

enum Pending : uint32_t { kPendingDead = 1, kPendingDeadline = 2 };

// Activation is one running call into a guest, on the caller's stack.
struct Activation {
  Activation* previous;
#if defined(INLAY_BUILTIN_SETJMP)
  void* buffer[5];
#else
  jmp_buf buffer;
#endif
  GuestContext* context;
};

// ThreadState is per thread; signal handlers and the watchdog read it.
struct ThreadState {
  Activation* volatile top = nullptr;  // the innermost call
  std::atomic<uint64_t> active{0};     // sequence << 32 | budget in ms of the outermost call; 0: none is watched
  std::atomic<uint64_t> expired{0};    // the value of `active` that the watchdog found too old
  std::atomic<bool> signalled{false};  // a signal of the watchdog is on its way: real-time signals would queue up
  uint32_t sequence = 0;
  TrapKind unwinding{};             // why the last jump was made
  bool ready = false;               // prepare_thread() has been here
  const char* stack_low = nullptr;  // lowest address that the stack may use
};

// initial-exec: one instruction to reach it, also in signal handlers, where a lazy allocation would not be safe.
extern thread_local constinit ThreadState thread_state __attribute__((tls_model("initial-exec")));

// Gives this thread its signal stack and its place with the watchdog, and installs the process's handlers once.
void prepare_thread(ThreadState& thread);

inline void enter(ThreadState& thread, Activation& here, GuestContext& context) {
  Activation* const previous = thread.top;
  here.previous = previous;
  here.context = &context;
  context.stack_limit = thread.stack_low + context.stack_headroom;
  if (previous == nullptr) [[likely]] {
    context.pending = 0;  // a deadline that came as the last call was returning
    if (context.budget_ms != 0) {
      thread.active.store((uint64_t{++thread.sequence} << 32) | context.budget_ms, std::memory_order_relaxed);
    }
  }
  thread.top = &here;
}

inline void leave(ThreadState& thread, const Activation& here) {
  if (here.previous == nullptr) [[likely]] {
    // The constant, so that the next call's enter() waits for no load of this one's.
    thread.top = nullptr;
    thread.active.store(0, std::memory_order_relaxed);
  } else {
    thread.top = here.previous;
  }
}

// leave(), for a call that has not come to its end.
[[gnu::noinline, gnu::cold]] inline void abandon(const Activation& here) {
  here.context->in_host = 1;
  leave(thread_state, here);
}

}  // namespace inlay::engine::detail
