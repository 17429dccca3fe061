// SPDX-License-Identifier: Apache-2.0
#pragma once

// The watchdog: one thread for the whole process that looks at every watched thread's ThreadState::active now and
// then. A call costs that thread two stores and no clock. The watchdog's thread starts with the first watched thread
// and sleeps without waking up while none is there.

#include "engine/detail/context.h"

namespace inlay::engine::aot {

// Begins and ends watching the calling thread. unwatch() returns only when no signal will come any more.
void watch(detail::ThreadState& thread);
void unwatch(detail::ThreadState& thread);

}  // namespace inlay::engine::aot
