// SPDX-License-Identifier: Apache-2.0
#include "net/listening_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "net/pipe_path.h"
#include "net/socket_address.h"

namespace inlay::net {
namespace {

std::string advice(const Address& address, int error) {
  if (address.is_pipe) {
    if (error == EADDRINUSE) return " (another process listens there: 'ss -xlp' shows which)";
    if (error == ENOENT || error == ENOTDIR) return " (the directory that its path names must be there)";
    if (error == EACCES || error == EROFS) return " (its directory must be writable)";
    return "";
  }
  if (error == EADDRINUSE) return " (another process listens there: 'ss -ltnp' shows which)";
  if (error == EACCES) return " (ports below 1024 need CAP_NET_BIND_SERVICE)";
  if (error == EADDRNOTAVAIL) return " (no interface of this machine has that address)";
  return "";
}

Error listen_error(const Address& address, std::string_view what, int error) {
  return {ErrorCode::kIo,
          "cannot " + std::string(what) + " " + address.to_string() + ": " + std::generic_category().message(error) +
              advice(address, error),
          ""};
}

// 0, or what went wrong. Permissions that are set before narrow those that the file gets; the umask has its say there,
// and Envoy's mode is what it is whatever the umask.
int bind_pipe(int fd, const Address& pipe, const SocketAddress& at) {
  const bool has_mode = pipe.pipe_mode != 0 && !pipe.is_abstract();
  if (has_mode && fchmod(fd, pipe.pipe_mode) != 0) return errno;
  if (bind(fd, at.get(), at.size) != 0) return errno;
  return has_mode && chmod(pipe.host.c_str(), pipe.pipe_mode) != 0 ? errno : 0;
}

int bind_ip(int fd, const SocketAddress& at, Sharing sharing) {
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (sharing == Sharing::kShared) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (at.family() == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  return bind(fd, at.get(), at.size) == 0 ? 0 : errno;
}

}  // namespace

Result<std::shared_ptr<const ListeningSocket>> ListeningSocket::open(const Address& address, Sharing sharing) {
  INLAY_TRY(const SocketAddress at, to_socket_address(address));
  if (address.is_pipe) {
    INLAY_RETURN_IF_ERROR(make_way_for_pipe(address));
  }
  const int fd = socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return listen_error(address, "make a socket for", errno);
  int error = address.is_pipe ? bind_pipe(fd, address, at) : bind_ip(fd, at, sharing);
  if (error == 0 && ::listen(fd, SOMAXCONN) != 0) error = errno;
  if (error == 0) {
    return std::shared_ptr<const ListeningSocket>(
        new ListeningSocket(fd, address.is_pipe ? address : local_address_of(fd)));
  }
  ::close(fd);
  return listen_error(address, "listen on", error);
}

Result<std::shared_ptr<const ListeningSocket>> ListeningSocket::duplicate() const {
  const int fd = fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return listen_error(address_, "duplicate the socket of", errno);
  return std::shared_ptr<const ListeningSocket>(new ListeningSocket(fd, address_));
}

ListeningSocket::~ListeningSocket() {
  ::close(fd_);
}

Result<std::shared_ptr<const ListeningSocket>> SharedPipe::get(const Address& pipe) {
  const std::lock_guard lock(mutex_);
  if (auto socket = socket_.lock()) return socket;
  INLAY_TRY(auto socket, ListeningSocket::open(pipe));
  socket_ = socket;
  return socket;
}

}  // namespace inlay::net
