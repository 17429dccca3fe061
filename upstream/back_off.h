// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace inlay::upstream {

// How long the wait before the next try may be, after `tries` retries: twice as long each time, from `base` to `most`.
std::chrono::milliseconds longest_back_off(std::chrono::milliseconds base, std::chrono::milliseconds most,
                                           uint32_t tries);

}  // namespace inlay::upstream
