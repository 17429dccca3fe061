// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "net/socket_address.h"
#include "net/tcp_connection.h"

namespace inlay::net {
namespace {

constexpr int kAcceptsPerEvent = 64;
constexpr std::chrono::milliseconds kPause{100};
constexpr int64_t kErrorInterval = 1'000'000'000;

std::string system_message(int error) {
  return std::generic_category().message(error);
}

// Errors that concern one connection only, or that are no error (accept(2), "Error handling").
bool is_transient(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

class TcpListener final : public Listener, IoHandler {
 public:
  TcpListener(EventLoop& loop, int fd, AcceptHandler on_accept, std::function<void(std::string_view)> on_error,
              Admission admission)
      : loop_(loop),
        fd_(fd),
        address_(local_address_of(fd)),
        on_accept_(std::move(on_accept)),
        on_error_(std::move(on_error)),
        admission_(std::move(admission)),
        retry_(loop, [this] { watch(); }) {}
  ~TcpListener() override { TcpListener::stop_accepting(); }

  bool watch() { return fd_ >= 0 && loop_.watch(fd_, EPOLLIN, *this, /*edge=*/false); }
  const Address& address() const override { return address_; }
  int socket() const override { return fd_; }
  void stop_accepting() override {
    if (fd_ < 0) return;
    retry_.disarm();
    loop_.unwatch(fd_, *this);
    ::close(std::exchange(fd_, -1));
  }

 private:
  void on_io(uint32_t) override {
    for (int i = 0; i < kAcceptsPerEvent && fd_ >= 0; ++i) {
      SocketAddress peer;
      const int fd = accept4(fd_, peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        take(fd, peer);
        continue;
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      if (is_transient(errno)) continue;
      pause(errno);
      return;
    }
  }

  void take(int fd, const SocketAddress& peer) {
    ClientTicket ticket;
    if (!admission_.admit(fd, ticket)) {
      ::close(fd);
      return;
    }
    on_accept_(
        std::make_unique<TcpConnection>(loop_, fd, local_address_of(fd), from_socket_address(peer), std::move(ticket)));
  }

  void pause(int error) {
    loop_.unwatch(fd_, *this);
    retry_.arm(kPause);
    if (!on_error_ || loop_.now() < next_error_) return;
    next_error_ = loop_.now() + kErrorInterval;
    on_error_("cannot accept a connection on " + address_.to_string() + ": " + system_message(error));
  }

  EventLoop& loop_;
  int fd_;
  Address address_;
  AcceptHandler on_accept_;
  std::function<void(std::string_view)> on_error_;
  Admission admission_;
  Timer retry_;
  int64_t next_error_ = 0;
};

Error listen_error(const Address& address, std::string_view what, int error) {
  std::string message = "cannot " + std::string(what) + " " + address.to_string() + ": " + system_message(error);
  if (error == EADDRINUSE) message += " (another process listens there: 'ss -ltnp' shows which)";
  if (error == EACCES) message += " (ports below 1024 need CAP_NET_BIND_SERVICE)";
  if (error == EADDRNOTAVAIL) message += " (no interface of this machine has that address)";
  return {ErrorCode::kIo, std::move(message), ""};
}

// A socket that is bound to the address.
Result<int> bind_socket(const Address& address, bool shared) {
  INLAY_TRY(const SocketAddress bound, to_socket_address(address));
  const int fd = socket(bound.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return listen_error(address, "make a socket for", errno);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shared) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (bound.family() == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind(fd, bound.get(), bound.size) == 0) return fd;
  const int error = errno;
  ::close(fd);
  return listen_error(address, "listen on", error);
}

}  // namespace

Result<std::unique_ptr<Listener>> listen(EventLoop& loop, const Address& address, AcceptHandler on_accept,
                                         std::function<void(std::string_view)> on_error, Sharing sharing,
                                         Admission admission) {
  INLAY_TRY(const int fd, bind_socket(address, sharing == Sharing::kShared));
  if (::listen(fd, SOMAXCONN) != 0) {
    const int error = errno;
    ::close(fd);
    return listen_error(address, "listen on", error);
  }
  auto listener =
      std::make_unique<TcpListener>(loop, fd, std::move(on_accept), std::move(on_error), std::move(admission));
  if (!listener->watch()) return listen_error(address, "watch", errno);
  return std::unique_ptr<Listener>(std::move(listener));
}

}  // namespace inlay::net
