// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "net/connection.h"

namespace inlay::net {

// ConnectionOwner takes the connections that a listener accepts: a connection manager. Loop thread only.
class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  virtual void accept(std::unique_ptr<Connection> connection) = 0;
  // Lets connections end; `on_drained` runs when none is left, never from inside of this.
  virtual void drain(std::function<void()> on_drained) = 0;
};

}  // namespace inlay::net
