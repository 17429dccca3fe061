// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "net/listening_socket.h"
#include "net/socket_address.h"
#include "net/tcp_connection.h"

namespace inlay::net {
namespace {

constexpr int kAcceptsPerEvent = 64;
// Where several loops wait for the clients of one socket, each takes one and lets the others have the next.
constexpr int kAcceptsPerEventOfPipe = 1;
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

class SocketListener final : public Listener, IoHandler {
 public:
  SocketListener(EventLoop& loop, std::shared_ptr<const ListeningSocket> socket, AcceptHandler on_accept,
                 std::function<void(std::string_view)> on_error, Admission admission)
      : loop_(loop),
        socket_(std::move(socket)),
        address_(socket_->address()),
        on_accept_(std::move(on_accept)),
        on_error_(std::move(on_error)),
        admission_(std::move(admission)),
        retry_(loop, [this] { watch(); }) {}
  ~SocketListener() override { SocketListener::stop_accepting(); }

  // Other loops may wait on a pipe's socket, too: a client is to wake up one of them.
  bool watch() {
    const uint32_t events = EPOLLIN | (address_.is_pipe ? uint32_t{EPOLLEXCLUSIVE} : 0u);
    return socket_ && loop_.watch(socket_->fd(), events, *this, /*edge=*/false);
  }
  const Address& address() const override { return address_; }
  int socket() const override { return socket_ ? socket_->fd() : -1; }
  void stop_accepting() override {
    if (!socket_) return;
    retry_.disarm();
    loop_.unwatch(socket_->fd(), *this);
    socket_.reset();
  }

 private:
  void on_io(uint32_t) override {
    const int most = address_.is_pipe ? kAcceptsPerEventOfPipe : kAcceptsPerEvent;
    for (int i = 0; i < most && socket_; ++i) {
      SocketAddress peer;
      const int fd = accept4(socket_->fd(), peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
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
    // The clients of a pipe have no name, or one that says nothing: as in Envoy they are named like the pipe.
    on_accept_(std::make_unique<TcpConnection>(loop_, fd, address_.is_pipe ? address_ : local_address_of(fd),
                                               address_.is_pipe ? address_ : from_socket_address(peer),
                                               std::move(ticket)));
  }

  void pause(int error) {
    loop_.unwatch(socket_->fd(), *this);
    retry_.arm(kPause);
    if (!on_error_ || loop_.now() < next_error_) return;
    next_error_ = loop_.now() + kErrorInterval;
    on_error_("cannot accept a connection on " + address_.to_string() + ": " + system_message(error));
  }

  EventLoop& loop_;
  std::shared_ptr<const ListeningSocket> socket_;  // null: it accepts no more
  Address address_;
  AcceptHandler on_accept_;
  std::function<void(std::string_view)> on_error_;
  Admission admission_;
  Timer retry_;
  int64_t next_error_ = 0;
};

}  // namespace

Result<std::unique_ptr<Listener>> listen(EventLoop& loop, const Address& address, AcceptHandler on_accept,
                                         std::function<void(std::string_view)> on_error, Sharing sharing,
                                         Admission admission) {
  INLAY_TRY(auto socket, ListeningSocket::open(address, sharing));
  return listen(loop, std::move(socket), std::move(on_accept), std::move(on_error), std::move(admission));
}

Result<std::unique_ptr<Listener>> listen(EventLoop& loop, std::shared_ptr<const ListeningSocket> socket,
                                         AcceptHandler on_accept, std::function<void(std::string_view)> on_error,
                                         Admission admission) {
  auto listener = std::make_unique<SocketListener>(loop, std::move(socket), std::move(on_accept), std::move(on_error),
                                                   std::move(admission));
  if (listener->watch()) return std::unique_ptr<Listener>(std::move(listener));
  return Error{ErrorCode::kIo, "cannot watch " + listener->address().to_string() + ": " + system_message(errno), ""};
}

}  // namespace inlay::net
