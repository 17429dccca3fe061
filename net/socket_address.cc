// SPDX-License-Identifier: Apache-2.0
#include "net/socket_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>

namespace inlay::net {
namespace {

constexpr socklen_t kPathAt = offsetof(sockaddr_un, sun_path);

Result<SocketAddress> to_pipe_address(const Address& address) {
  const std::string& path = address.host;
  const auto wrong = [&](const std::string& what) { return Error{ErrorCode::kInvalidArgument, what, ""}; };
  if (path.empty()) return wrong("a pipe needs a path");
  if (path.size() > kLongestPipePath) {
    return wrong("the path of a pipe may have " + std::to_string(kLongestPipePath) + " bytes, '" + path + "' has " +
                 std::to_string(path.size()));
  }
  const bool abstract = address.is_abstract();
  if (!abstract && path.find('\0') != std::string::npos) return wrong("the path of a pipe has a NUL in it");
  SocketAddress result;
  auto* pipe = reinterpret_cast<sockaddr_un*>(&result.storage);
  pipe->sun_family = AF_UNIX;
  path.copy(pipe->sun_path, path.size());
  if (abstract) pipe->sun_path[0] = '\0';
  // Of an abstract name every byte counts, so that none may follow it.
  result.size = kPathAt + static_cast<socklen_t>(path.size()) + (abstract ? 0 : 1);
  return result;
}

Address from_pipe_address(const SocketAddress& address) {
  const auto* pipe = reinterpret_cast<const sockaddr_un*>(&address.storage);
  if (address.size <= kPathAt) return Address::pipe({});
  std::string path(pipe->sun_path, address.size - kPathAt);
  if (path[0] == '\0') {
    path[0] = '@';
  } else {
    path.resize(std::min(path.size(), path.find('\0')));
  }
  return Address::pipe(std::move(path));
}

}  // namespace

Result<SocketAddress> to_socket_address(const Address& address) {
  if (address.is_pipe) return to_pipe_address(address);
  std::string host = address.host;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  SocketAddress result;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    result.size = sizeof(sockaddr_in);
    return result;
  }
  result = {};
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
  if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    result.size = sizeof(sockaddr_in6);
    return result;
  }
  return Error{ErrorCode::kInvalidArgument, "'" + address.host + "' is not an IPv4 or IPv6 address", ""};
}

Address from_socket_address(const SocketAddress& address) {
  if (address.family() == AF_UNIX) return from_pipe_address(address);
  std::array<char, INET6_ADDRSTRLEN> text{};
  Address result;
  if (address.family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    result.port = ntohs(v4->sin_port);
  } else if (address.family() == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
      inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text.data(), text.size());
    } else {
      inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    }
    result.port = ntohs(v6->sin6_port);
  }
  result.host = text.data();
  return result;
}

Address local_address_of(int fd) {
  SocketAddress address;
  getsockname(fd, address.get(), &address.size);
  return from_socket_address(address);
}

}  // namespace inlay::net
