// SPDX-License-Identifier: Apache-2.0
#pragma once

// The host's clocks, and lengths of time. A host may freeze the time for the length of a callback.

#include <chrono>
#include <cstdint>

#include "sdk/host_functions.h"

#ifdef __wasm__
#define INLAY_WASI_(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))
#else
#define INLAY_WASI_(name)
#endif

extern "C" {
INLAY_WASI_(clock_time_get) uint32_t inlay_clock_time_get(uint32_t clock, uint64_t precision, uint64_t* time);
}

#undef INLAY_WASI_

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

// steady_ns: nanoseconds since some start, which is the same for all VMs of a process, by WASI's monotonic clock: what
// happens to the wall clock does not show in it. On a host without one it is now_ns().
inline uint64_t steady_ns() {
  constexpr uint32_t kMonotonic = 1;
  uint64_t time = 0;
  return inlay_clock_time_get(kMonotonic, 0, &time) == 0 && time != 0 ? time : now_ns();
}

inline uint64_t steady_ms() {
  return steady_ns() / 1'000'000;
}

}  // namespace inlay::sdk
