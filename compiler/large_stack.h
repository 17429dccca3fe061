// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace inlay::compiler {

// Calls `work` on a thread of its own that has 64 MiB of stack, and waits for its end: for what recurses as deeply as a
// module nests. The thread takes no signal of the process. On the caller's own stack where no thread can be had.
void with_large_stack(const std::function<void()>& work);

}  // namespace inlay::compiler
