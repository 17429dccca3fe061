// SPDX-License-Identifier: Apache-2.0
#pragma once

// SystemClock: the machine's clocks, for the host. Thread-safe.

#include <chrono>

#include "host/embedder.h"

namespace inlay::proxy {

class SystemClock final : public host::Clock {
 public:
  int64_t system_time() const override { return nanoseconds<std::chrono::system_clock>(); }
  int64_t monotonic_time() const override { return nanoseconds<std::chrono::steady_clock>(); }

 private:
  template <class C>
  static int64_t nanoseconds() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(C::now().time_since_epoch()).count();
  }
};

}  // namespace inlay::proxy
