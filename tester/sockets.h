// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>

#include "tester/server.h"
#include "tester/world.h"

namespace inlay::tester {

// A world of a whole program with real sockets and real time. `quiet`: settle() also ends when nothing has happened for
// that long; 0 for as long as patience lasts, half a minute. `time_passes`: a step that waits does so by the clock;
// else only in a server that asks for it (Server::in_real_time) and where the step shows nothing, since what must be
// seen says when to go on.
std::unique_ptr<World> make_sockets(const Run& run, std::unique_ptr<Server> server, std::chrono::milliseconds quiet,
                                    bool time_passes = false);

}  // namespace inlay::tester
