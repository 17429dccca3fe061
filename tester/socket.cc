// SPDX-License-Identifier: Apache-2.0
#include "tester/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace inlay::tester {
namespace {

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

Socket::~Socket() {
  close();
}

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)), unsent_(std::move(other.unsent_)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this == &other) return *this;
  close();
  fd_ = std::exchange(other.fd_, -1);
  unsent_ = std::move(other.unsent_);
  return *this;
}

Socket Socket::listen() {
  Socket made(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(0);
  if (bind(made.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(made.fd_, 64) != 0) {
    made.close();
  }
  return made;
}

Socket Socket::connect(uint16_t port) {
  Socket made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  const int on = 1;
  setsockopt(made.fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(made.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) made.close();
  return made;
}

uint16_t Socket::refused_port() {
  Socket bound(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(0);
  if (bind(bound.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return 0;
  return bound.port();
}

uint16_t Socket::port() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.sin_port);
}

Socket Socket::accept() {
  return Socket(accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

void Socket::send(std::string_view bytes) {
  unsent_ += bytes;
  flush();
}

void Socket::flush() {
  while (!unsent_.empty()) {
    const ssize_t n = ::send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return unsent_.clear();  // the peer is gone; reading says so
    unsent_.erase(0, static_cast<size_t>(n));
  }
}

Socket::Read Socket::read(std::string& bytes) {
  char block[16384];
  const ssize_t n = recv(fd_, block, sizeof block, MSG_DONTWAIT);
  if (n > 0) {
    bytes.assign(block, static_cast<size_t>(n));
    return Read::kBytes;
  }
  if (n == 0) return Read::kEnd;
  return errno == EAGAIN || errno == EINTR ? Read::kNothing : Read::kReset;
}

void Socket::shutdown_write() {
  ::shutdown(fd_, SHUT_WR);
}

void Socket::reset() {
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

void Socket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace inlay::tester
