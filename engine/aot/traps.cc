// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/traps.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <array>
#include <cstdint>
#include <mutex>

#include "engine/aot/runtime.h"
#include "engine/aot/watchdog.h"

namespace inlay::engine {
namespace detail {

thread_local constinit ThreadState thread_state;

}  // namespace detail

namespace aot {
namespace {

using detail::Activation;
using detail::thread_state;
using detail::ThreadState;

constexpr size_t kSignalStackSize = 64 * 1024;
// How far from the end of a stack a fault still is that stack's. Below: the guard page of a thread, or the gap that
// the kernel keeps under the main thread's stack; above: what pthread_getattr_np() rounds.
constexpr ptrdiff_t kGuardBelow = 1 << 20;
constexpr ptrdiff_t kGuardAbove = 64 * 1024;

constexpr std::array kFaultSignals = {SIGSEGV, SIGBUS, SIGFPE};
std::array<struct sigaction, kFaultSignals.size()> previous_actions;

// How much stack the jump gets when the guest has used all: what lies there is the guest's, and dead.
constexpr ptrdiff_t kLandingStack = 64 * 1024;

// The frames that a jump leaves behind must not be ones that a sanitizer has marked.
#define INLAY_JUMPS __attribute__((no_sanitize("address", "thread")))

[[noreturn]] INLAY_JUMPS void jump(ThreadState& thread, TrapKind kind) {
  thread.unwinding = kind;
  INLAY_LONGJMP(thread.top->buffer);
}

// land is where a thread goes on after a handler has returned: it jumps from there, outside of any handler.
[[noreturn]] INLAY_JUMPS void land() {
  INLAY_LONGJMP(thread_state.top->buffer);
}

// Makes the thread go on at land() with its stack pointer at `stack`, which is where a function begins when it has been
// called. False where we do not know the machine's registers.
INLAY_JUMPS bool set_registers(void* ucontext, uintptr_t stack) {
  auto& machine = static_cast<ucontext_t*>(ucontext)->uc_mcontext;
#if defined(__x86_64__)
  machine.gregs[REG_RSP] = static_cast<greg_t>(stack - sizeof(void*));
  machine.gregs[REG_RIP] = static_cast<greg_t>(reinterpret_cast<uintptr_t>(&land));
  return true;
#elif defined(__aarch64__)
  machine.sp = stack;
  machine.pc = reinterpret_cast<uintptr_t>(&land);
  return true;
#else
  (void)machine;
  (void)stack;
  return false;
#endif
}

INLAY_JUMPS uintptr_t stack_pointer([[maybe_unused]] const void* ucontext) {
#if defined(__x86_64__)
  return static_cast<uintptr_t>(static_cast<const ucontext_t*>(ucontext)->uc_mcontext.gregs[REG_RSP]);
#elif defined(__aarch64__)
  return static_cast<const ucontext_t*>(ucontext)->uc_mcontext.sp;
#else
  return 0;
#endif
}

// Ends the innermost call with `kind`, from a signal handler, which must return after this: the kernel then puts the
// thread to land(). A handler that returns is what thread sanitizers and the kernel's own books expect.
INLAY_JUMPS void jump_after_handler(ThreadState& thread, TrapKind kind, void* ucontext) {
  constexpr uintptr_t kRedZone = 256;
  uintptr_t stack = stack_pointer(ucontext) - kRedZone;
  if (kind == TrapKind::kStackExhausted) {
    stack = reinterpret_cast<uintptr_t>(thread.stack_low + kGuardAbove + kLandingStack);
  }
  // A call that was made with so little stack left has frames there that live.
  if (stack + kRedZone >= reinterpret_cast<uintptr_t>(thread.top)) jump(thread, kind);
  thread.unwinding = kind;
  if (!set_registers(ucontext, stack & ~uintptr_t{15})) jump(thread, kind);
}

// Hands a fault that is not ours on to whoever had the signal before.
void pass_on(int signal, siginfo_t* info, void* ucontext) {
  size_t i = 0;
  while (kFaultSignals[i] != signal) ++i;
  const struct sigaction& previous = previous_actions[i];
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, ucontext);
  } else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
    // A fault happens again when we return, and then takes the default way; a signal that was sent must be sent again.
    struct sigaction fallback = previous;
    fallback.sa_handler = SIG_DFL;
    sigaction(signal, &fallback, nullptr);
    if (info->si_code <= 0) ::raise(signal);
  } else {
    previous.sa_handler(signal);
  }
}

INLAY_JUMPS bool in_guest(const ThreadState& thread) {
  return thread.top != nullptr && thread.top->context->in_host == 0;
}

INLAY_JUMPS void on_fault(int signal, siginfo_t* info, void* ucontext) {
  ThreadState& thread = thread_state;
  if (in_guest(thread) && info->si_code > 0) {
    if (signal == SIGFPE) {
      const bool by_zero = info->si_code == FPE_INTDIV;
      return jump_after_handler(thread, by_zero ? TrapKind::kDivideByZero : TrapKind::kIntegerOverflow, ucontext);
    }
    const auto* address = static_cast<const char*>(info->si_addr);
    if (is_guest_memory(*thread.top->context, address)) {
      return jump_after_handler(thread, TrapKind::kMemoryOutOfBounds, ucontext);
    }
    if (address >= thread.stack_low - kGuardBelow && address < thread.stack_low + kGuardAbove) {
      return jump_after_handler(thread, TrapKind::kStackExhausted, ucontext);
    }
  }
  pass_on(signal, info, ucontext);
}

INLAY_JUMPS void on_interrupt(int, siginfo_t*, void* ucontext) {
  ThreadState& thread = thread_state;
  const uint64_t active = thread.active.load(std::memory_order_relaxed);
  thread.signalled.store(false, std::memory_order_relaxed);
  if (active == 0 || active != thread.expired.load(std::memory_order_relaxed)) return;  // that call has ended meanwhile
  for (Activation* call = thread.top; call != nullptr; call = call->previous) {
    call->context->pending = call->context->pending | detail::kPendingDeadline;
  }
  if (in_guest(thread)) jump_after_handler(thread, TrapKind::kDeadlineExceeded, ucontext);
}

void install_handlers() {
  struct sigaction action = {};
  sigemptyset(&action.sa_mask);
  // SA_NODEFER with an empty mask: the handler changes no mask, so that a jump out of it, where there must be one, has
  // none to restore.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  action.sa_sigaction = &on_fault;
  for (size_t i = 0; i < kFaultSignals.size(); ++i) sigaction(kFaultSignals[i], &action, &previous_actions[i]);
  action.sa_sigaction = &on_interrupt;
  action.sa_flags |= SA_RESTART;
  sigaction(interrupt_signal(), &action, nullptr);
}

// ThreadGuard gives back at the thread's end what prepare_thread() took.
struct ThreadGuard {
  void* signal_stack = nullptr;
  bool watched = false;
  ~ThreadGuard() {
    if (watched) unwatch(thread_state);
    if (signal_stack != nullptr) {
      stack_t off = {};
      off.ss_flags = SS_DISABLE;
      sigaltstack(&off, nullptr);
      munmap(signal_stack, kSignalStackSize);
    }
  }
};
thread_local ThreadGuard thread_guard;

void give_signal_stack() {
  stack_t now = {};
  if (sigaltstack(nullptr, &now) == 0 && (now.ss_flags & SS_DISABLE) == 0 && now.ss_size >= 16 * 1024) return;
  void* memory = mmap(nullptr, kSignalStackSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  stack_t stack = {};
  stack.ss_sp = memory;
  stack.ss_size = kSignalStackSize;
  sigaltstack(&stack, nullptr);
  thread_guard.signal_stack = memory;
}

void unblock_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : kFaultSignals) sigaddset(&set, signal);
  sigaddset(&set, interrupt_signal());
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace

INLAY_JUMPS void trap(TrapKind kind) {
  jump(thread_state, kind);
}

int interrupt_signal() {
#if defined(__SANITIZE_THREAD__)
  return SIGTRAP;  // one of those that ThreadSanitizer does not put off until the next call of the C library
#else
  return SIGRTMAX - 3;
#endif
}

}  // namespace aot

void detail::prepare_thread(ThreadState& thread) {
  static std::once_flag once;
  std::call_once(once, aot::install_handlers);
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
    void* low = nullptr;
    size_t size = 0;
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);
    thread.stack_low = static_cast<const char*>(low);
  }
  aot::give_signal_stack();
  aot::unblock_signals();
  aot::watch(thread);
  aot::thread_guard.watched = true;
  thread.ready = true;
}

}  // namespace inlay::engine
