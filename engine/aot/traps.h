// SPDX-License-Identifier: Apache-2.0
#pragma once

// Leaving generated code early: by its own request (trap), because a host function asked for it (unwind), or from a
// signal handler (a fault in guest memory, a stack that ran out, a call that lasted too long).
//
// A signal may unwind only while GuestContext::in_host is 0: then the thread is in generated code or in a leaf of the C
// library that it called (memmove, floor), and nothing that would need a destructor is on the stack above the
// Activation. The handler itself returns, to a function that jumps. Every other fault goes on to the handler that was
// there before, as if we were not.

#include <cstdint>

#include "engine/detail/context.h"
#include "engine/engine.h"

namespace inlay::engine::aot {

// Ends the innermost call of this thread with `kind`.
[[noreturn]] void trap(TrapKind kind);

// The signal by which the watchdog interrupts a thread.
int interrupt_signal();

}  // namespace inlay::engine::aot
