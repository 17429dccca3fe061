// SPDX-License-Identifier: Apache-2.0
#pragma once

// LingeringClose: a socket on its way out. It sends what is left, then FIN, drops what still comes in, and closes when
// the peer has closed its side or time is up. Closing at once would let the kernel send RST for unread bytes, and that
// can overtake the response. Owned by the loop. Inside of net/.

#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "net/client_limit.h"
#include "net/event_loop.h"

namespace inlay::net {

class LingeringClose final : IoHandler {
 public:
  // Takes over `fd`, which is watched by nobody. `longest`: for the peer to close its side; `flush`: without progress,
  // for what is left. `ticket`: of a client, until it is closed.
  static void start(EventLoop& loop, int fd, Buffer unsent, std::chrono::milliseconds longest,
                    std::chrono::milliseconds flush, ClientTicket ticket);

  LingeringClose(EventLoop& loop, int fd, Buffer unsent, std::chrono::milliseconds longest,
                 std::chrono::milliseconds flush, ClientTicket ticket);
  ~LingeringClose();
  LingeringClose(const LingeringClose&) = delete;
  LingeringClose& operator=(const LingeringClose&) = delete;

 private:
  friend class LingeringList;
  void on_io(uint32_t events) override;
  bool step();  // false: nothing is left to wait for
  bool send_rest();
  bool drop_input();

  EventLoop& loop_;
  int fd_;
  ClientTicket ticket_;
  Buffer out_;
  bool fin_sent_ = false;
  std::chrono::milliseconds longest_;
  std::chrono::milliseconds flush_;
  Timer timer_;
  LingeringClose* next_ = nullptr;
  LingeringClose** previous_ = nullptr;
};

// All of a loop's; destroys them with the loop.
class LingeringList {
 public:
  LingeringList() = default;
  ~LingeringList() { clear(); }
  LingeringList(const LingeringList&) = delete;
  LingeringList& operator=(const LingeringList&) = delete;
  void clear();
  void add(LingeringClose& closing);
  void remove(LingeringClose& closing);
  // Calls `done` once there are none, which may be at once.
  void when_empty(std::function<void()> done) {
    on_empty_.push_back(std::move(done));
    notify();
  }

 private:
  void notify() {
    if (first_ != nullptr) return;
    for (const auto& done : std::exchange(on_empty_, decltype(on_empty_)())) done();
  }

  LingeringClose* first_ = nullptr;
  std::vector<std::function<void()>> on_empty_;
};

LingeringList& lingering_list(EventLoop& loop);

}  // namespace inlay::net
