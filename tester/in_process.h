// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "tester/world.h"

namespace inlay::tester {

// A world without a socket and without real time: the real host, connection manager, codec, filter chain and wasm
// filter, with memory in the place of sockets, a scripted origin in the place of the router, the testkit's upstreams
// for call-outs, and its virtual clock for the guests' timers.
std::unique_ptr<World> make_in_process(const Run& run);

}  // namespace inlay::tester
