// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace inlay {

// Where a socket listens or connects to: an IP address and a port, or a pipe, which is Envoy's name for a Unix domain
// socket. A value.
struct Address {
  // An IP address, or, where the configuration allows it, a name that DNS resolves. Of a pipe the path of its file;
  // "@name" is an abstract one, which has none.
  std::string host;
  uint16_t port = 0;
  bool is_pipe = false;
  uint32_t pipe_mode = 0;  // the file's permissions while somebody listens; 0: what the umask leaves

  static Address pipe(std::string path, uint32_t mode = 0) { return {std::move(path), 0, true, mode}; }
  bool is_abstract() const { return is_pipe && host.starts_with('@'); }
  bool is_same_place(const Address& other) const {
    return host == other.host && port == other.port && is_pipe == other.is_pipe;
  }
  // "127.0.0.1:80", "[::1]:80", "/run/a.sock", "@name".
  std::string to_string() const;
};

}  // namespace inlay
