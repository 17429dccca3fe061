// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "net/connection.h"

namespace inlay::net {

// ConnectionOwner takes the connections that a listener accepts: a connection manager. Loop thread only.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  virtual void accept(std::unique_ptr<Connection> connection) = 0;
  // Lets connections end; `on_drained` runs when none is left, never from inside of this.
  virtual void drain(std::function<void()> on_drained) = 0;
  // The same while somebody else takes new connections: one on which nothing is under way is not closed under a client
  // that may be about to use it, where the protocol cannot tell him first. drain() may follow; its `on_drained` counts.
  virtual void retire(std::function<void()> on_drained) { drain(std::move(on_drained)); }
};

}  // namespace inlay::net
