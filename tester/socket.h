// SPDX-License-Identifier: Apache-2.0
#pragma once

// Non-blocking TCP sockets on 127.0.0.1, for the clients and origins of cases.

#include <cstdint>
#include <string>
#include <string_view>

namespace inlay::tester {

class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket();
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Not open when the system refuses.
  static Socket listen();
  static Socket connect(uint16_t port);
  // A port on which nobody listens: connections to it are refused.
  static uint16_t refused_port();

  bool open() const { return fd_ >= 0; }
  uint16_t port() const;  // the local one
  Socket accept();        // not open when none waits
  // Sends what the kernel takes of what is to be sent so far; call flush() again and again.
  void send(std::string_view bytes);
  void flush();
  // Sends it with the next flush(), so that several pieces leave in one.
  void queue(std::string_view bytes) { unsent_ += bytes; }
  bool sending() const { return !unsent_.empty(); }
  enum class Read : uint8_t { kNothing, kBytes, kEnd, kReset };
  Read read(std::string& bytes);
  void shutdown_write();
  void reset();  // RST
  void close();

 private:
  int fd_ = -1;
  std::string unsent_;
};

}  // namespace inlay::tester
