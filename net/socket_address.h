// SPDX-License-Identifier: Apache-2.0
#pragma once

// SocketAddress: Address in the system's form. Inside of net/.

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

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

// How many bytes the path of a pipe may have: what the system has room for, with a NUL at the end.
constexpr size_t kLongestPipePath = sizeof(sockaddr_un::sun_path) - 1;

// Errors: kInvalidArgument when the host is no IPv4 or IPv6 address ("[::1]" and "::1" are both taken), or a pipe's
// path is empty, too long or has a NUL that is not in an abstract name.
Result<SocketAddress> to_socket_address(const Address& address);
// An IPv4 address that came in on an IPv6 socket is written as IPv4. A pipe without a name has an empty host.
Address from_socket_address(const SocketAddress& address);
Address local_address_of(int fd);

}  // namespace inlay::net
