// SPDX-License-Identifier: Apache-2.0
#pragma once

// ListeningSocket: a socket that is bound and listens. Whoever accepts on it holds it, in any thread; it is closed with
// its last holder. The loops of several workers accept on one where the system does not let each have its own: a pipe's
// path can be bound once, SO_REUSEPORT is for IP addresses.
//
//     INLAY_TRY(const auto socket, ListeningSocket::open(Address::pipe("/run/a.sock", 0600)));
//     auto listening = listen(loop, socket, on_accept);       // on each loop

#include <memory>
#include <mutex>
#include <utility>

#include "base/address.h"
#include "base/result.h"
#include "net/connection.h"

namespace inlay::net {

class ListeningSocket {
 public:
  // Errors: as those of net::listen. Of a pipe: a socket's file that nobody listens on is deleted first
  // (make_way_for_pipe), what else has its path is left and is the error; the permissions are there before a client can
  // be. The file stays when the socket is closed, as Envoy's does: by then it may be that of a successor.
  static Result<std::shared_ptr<const ListeningSocket>> open(const Address& address, Sharing sharing = Sharing::kAlone);
  ~ListeningSocket();
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;

  // The same socket under another descriptor, so that a loop can watch it twice: it is closed with the last of them.
  // Errors: kIo.
  Result<std::shared_ptr<const ListeningSocket>> duplicate() const;

  int fd() const { return fd_; }
  // With the port that is bound, for port 0.
  const Address& address() const { return address_; }

 private:
  ListeningSocket(int fd, Address address) : fd_(fd), address_(std::move(address)) {}

  const int fd_;
  const Address address_;
};

// SharedPipe: how the workers find the one socket of a pipe that they all accept on. Any thread.
class SharedPipe {
 public:
  // The socket that somebody holds, or a new one. Errors: those of open().
  Result<std::shared_ptr<const ListeningSocket>> get(const Address& pipe);

 private:
  std::mutex mutex_;
  std::weak_ptr<const ListeningSocket> socket_;
};

}  // namespace inlay::net
