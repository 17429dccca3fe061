// SPDX-License-Identifier: Apache-2.0
#include "upstream/back_off.h"

#include <algorithm>

namespace inlay::upstream {

std::chrono::milliseconds longest_back_off(std::chrono::milliseconds base, std::chrono::milliseconds most,
                                           uint32_t tries) {
  std::chrono::milliseconds wait = base;
  for (uint32_t i = 0; i < tries && wait < most; ++i) {
    // Half of it compared, since twice a very long wait is no number any more.
    wait = wait > most / 2 ? most : 2 * wait;
  }
  return std::min(wait, most);
}

}  // namespace inlay::upstream
