// SPDX-License-Identifier: Apache-2.0
#pragma once

// How many blocks this thread's Buffers hold, so that somebody can give memory back to the system after a peak: freed
// blocks go back to the allocator, which keeps the pages.

#include <cstdint>

namespace inlay {

struct BlockCount {
  int64_t live = 0;  // made and not freed by this thread; blocks that go to another one make it drift
  int64_t most = 0;  // of live, since somebody set it
};
BlockCount& block_count();

}  // namespace inlay
