// SPDX-License-Identifier: Apache-2.0
#pragma once

// Server: the program under test of a world on sockets. There are two: Inlay's server on a thread of this process, and
// an Envoy as a process of its own.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "tester/log_tail.h"
#include "tester/world.h"

namespace inlay::tester {

class Server {
 public:
  // Ends the program, however far it has come.
  virtual ~Server() = default;
  // Returns when the listener takes connections. `ports`: of each upstream. Errors: why the program refuses the
  // case's bootstrap.
  virtual Result<Unit> start(const std::map<std::string, uint16_t>& ports) = 0;
  // Of the listener and of the admin interface, once it has started.
  virtual uint16_t port() const = 0;
  virtual uint16_t admin_port() const = 0;
  // The lines of the log that are new.
  virtual std::vector<LogLine> log() = 0;
  // Whether it has read that many bytes of its clients and upstreams. Asked again and again before the next step.
  virtual bool has_read(size_t bytes) = 0;
  // Whether it has noticed that of its clients no more than `left` are there; some of the others may have half-closed
  // before. Asked again and again when clients have reset their connections.
  virtual bool has_noticed(size_t left, bool half_closed) = 0;
  // Whether the time of a step that waits must go by, as nothing may be expected of it there.
  virtual bool in_real_time() const = 0;
  // Tells it to end; ended() says whether it has.
  virtual void shutdown() = 0;
  virtual bool ended() = 0;
};

// `run` is copied; what it refers to outlives the server.
std::unique_ptr<Server> make_inlay_server(const Run& run);
// `binary`: Envoy's executable.
std::unique_ptr<Server> make_envoy_server(const Run& run, std::string binary);

}  // namespace inlay::tester
