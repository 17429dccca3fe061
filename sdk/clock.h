// SPDX-License-Identifier: Apache-2.0
#pragma once

// The host's clock, and lengths of time. A host may freeze the time for the length of a callback.

#include <chrono>
#include <cstdint>

#include "sdk/host_functions.h"

namespace inlay::sdk {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using Duration = std::chrono::milliseconds;

// now_ns: nanoseconds since 1970, by the host's wall clock, which may be set back; 0 if the host has none.
inline uint64_t now_ns() {
  abi::U64 time = 0;
  (void)proxy_get_current_time_nanoseconds(&time);
  return time;
}

inline uint64_t now_ms() {
  return now_ns() / 1'000'000;
}

}  // namespace inlay::sdk
