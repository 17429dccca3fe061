// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "conformance/world.h"

namespace inlay::conformance {

// A world of the real server on a thread of its own, with real sockets and real time. `quiet`: settle() also ends when
// nothing has happened for that long; a run whose expectation is known needs none and gets 0.
std::unique_ptr<World> make_sockets(const Run& run, std::chrono::milliseconds quiet);

}  // namespace inlay::conformance
