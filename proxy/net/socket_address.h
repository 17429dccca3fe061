// SPDX-License-Identifier: Apache-2.0
#pragma once

// SocketAddress: config::Address in the system's form. Inside of net/.

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/result.h"
#include "proxy/config/model.h"

namespace inlay::proxy::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

// Errors: kInvalidArgument when the host is no IPv4 or IPv6 address ("[::1]" and "::1" are both taken).
Result<SocketAddress> to_socket_address(const config::Address& address);
// An IPv4 address that came in on an IPv6 socket is written as IPv4.
config::Address from_socket_address(const SocketAddress& address);
config::Address local_address_of(int fd);

}  // namespace inlay::proxy::net
