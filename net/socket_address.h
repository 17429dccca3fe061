// SPDX-License-Identifier: Apache-2.0
#pragma once

// SocketAddress: Address in the system's form. Inside of net/.

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/result.h"

namespace inlay::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

// Errors: kInvalidArgument when the host is no IPv4 or IPv6 address ("[::1]" and "::1" are both taken).
Result<SocketAddress> to_socket_address(const Address& address);
// An IPv4 address that came in on an IPv6 socket is written as IPv4.
Address from_socket_address(const SocketAddress& address);
Address local_address_of(int fd);

}  // namespace inlay::net
