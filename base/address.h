// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace inlay {

// Where a socket listens or connects to. A value.
struct Address {
  std::string host;  // an IP address, or, where the configuration allows it, a name that DNS resolves
  uint16_t port = 0;

  // "127.0.0.1:80", "[::1]:80".
  std::string to_string() const;
};

}  // namespace inlay
