// SPDX-License-Identifier: Apache-2.0
#pragma once

// SocketRun: what the clients and the upstreams of a world on sockets share.

#include <cstddef>

#include "tester/world.h"

namespace inlay::tester {

struct SocketRun {
  explicit SocketRun(const Run& of) : run(of) {}
  Run run;
  size_t sent = 0;      // by clients and upstreams, in bytes
  bool ending = false;  // the proxy has been told to end
};

}  // namespace inlay::tester
