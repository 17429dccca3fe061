// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>

#include "conformance/names.h"
#include "conformance/server.h"

namespace inlay::conformance {

// A world of a whole program with real sockets and real time. `quiet`: settle() also ends when nothing has happened for
// that long; 0 for as long as patience lasts, half a minute.
std::unique_ptr<World> make_sockets(const Run& run, std::unique_ptr<Server> server, std::chrono::milliseconds quiet);

}  // namespace inlay::conformance
