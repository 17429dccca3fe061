// SPDX-License-Identifier: Apache-2.0
#pragma once

// The host's clocks, and lengths of time. Each reading is a call into the host. A host may freeze the time for the
// length of a callback.
//
//     const uint64_t begin = steady_ns();
//     const Duration limit = 250ms;
//     if (steady_ms() - begin / 1'000'000 > static_cast<uint64_t>(limit.count())) log_warn("late at ", now_ms());
//
// To measure or to wait, take the steady clock; for a time that others understand, the wall clock.

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

// Duration: all lengths of time in the SDK. 250ms and 2s are two; a finer one does not convert.
using Duration = std::chrono::milliseconds;

// now_ns: nanoseconds since 1970, by the host's wall clock, which may be set back; 0 if the host has none.
inline uint64_t now_ns() {
  abi::U64 time = 0;
  (void)proxy_get_current_time_nanoseconds(&time);
  return time;
}

// now_ms: the same in milliseconds, rounded down.
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

// steady_ms: the same in milliseconds, rounded down.
inline uint64_t steady_ms() {
  return steady_ns() / 1'000'000;
}

}  // namespace inlay::sdk
