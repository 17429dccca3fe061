// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/traps.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include <array>
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

// The frames that a jump leaves behind must not be ones that AddressSanitizer has marked.
#define INLAY_JUMPS __attribute__((no_sanitize("address")))

[[noreturn]] INLAY_JUMPS void jump(ThreadState& thread, TrapKind kind) {
  thread.unwinding = kind;
  INLAY_LONGJMP(thread.top->buffer);
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
      jump(thread, info->si_code == FPE_INTDIV ? TrapKind::kDivideByZero : TrapKind::kIntegerOverflow);
    }
    const auto* address = static_cast<const char*>(info->si_addr);
    if (is_guest_memory(*thread.top->context, address)) jump(thread, TrapKind::kMemoryOutOfBounds);
    if (address >= thread.stack_low - kGuardBelow && address < thread.stack_low + kGuardAbove) {
      jump(thread, TrapKind::kStackExhausted);
    }
  }
  pass_on(signal, info, ucontext);
}

INLAY_JUMPS void on_interrupt(int, siginfo_t*, void*) {
  ThreadState& thread = thread_state;
  const uint64_t active = thread.active.load(std::memory_order_relaxed);
  thread.signalled.store(false, std::memory_order_relaxed);
  if (active == 0 || active != thread.expired.load(std::memory_order_relaxed)) return;  // that call has ended meanwhile
  for (Activation* call = thread.top; call != nullptr; call = call->previous) {
    call->context->pending = call->context->pending | detail::kPendingDeadline;
  }
  if (in_guest(thread)) jump(thread, TrapKind::kDeadlineExceeded);
}

void install_handlers() {
  struct sigaction action = {};
  sigemptyset(&action.sa_mask);
  // SA_NODEFER with an empty mask: the handler changes no mask, so a jump out of it has none to restore.
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
  return SIGRTMAX - 3;
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
