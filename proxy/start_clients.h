// SPDX-License-Identifier: Apache-2.0
#pragma once

// StartClients serves those who ask the admin's port while no event loop runs: it reads a request's head, answers, and
// closes. It never blocks: its caller waits, for what watch() names.
//
//     StartClients clients(listening_socket, [](std::string_view method, std::string_view path) { return ...; });
//     clients.watch(polled, now);                    // then poll(), at most until clients.due()
//     clients.serve(now);

#include <poll.h>

#include <chrono>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::proxy {

// Belongs to one thread. Times are its caller's, so that a test needs no patience.
class StartClients {
 public:
  using Clock = std::chrono::steady_clock;
  // The whole response to a request, head and body.
  using Answer = std::function<std::string(std::string_view method, std::string_view path)>;

  // From its first byte to its last, a client is given no more than this.
  static constexpr std::chrono::seconds kPatience{5};
  // One more sends the oldest away.
  static constexpr size_t kMost = 32;
  // How long nobody is accepted after an accept that failed, for want of descriptors say.
  static constexpr std::chrono::milliseconds kPause{100};

  // The listening socket, which does not block, remains the caller's.
  StartClients(int listener, Answer answer);
  StartClients(const StartClients&) = delete;
  StartClients& operator=(const StartClients&) = delete;
  // Answers what has been asked for in full, and closes all.
  ~StartClients();

  // Adds what there is to wait for.
  void watch(std::vector<pollfd>& polled, Clock::time_point now) const;
  // When serve() has something to do even if nothing comes; time_point::max(): never.
  Clock::time_point due() const;
  // Accepts, reads, answers and closes, as far as it goes without waiting.
  void serve(Clock::time_point now);

 private:
  struct Client {
    int socket;
    Clock::time_point deadline;
    std::string head;
    bool answered = false;
  };

  void accept_all(Clock::time_point now);
  // False when it is done with and to be closed.
  bool serve(Client& client) const;

  const int listener_;
  const Answer answer_;
  Clock::time_point paused_until_ = Clock::time_point::min();
  std::list<Client> clients_;  // the oldest first
};

}  // namespace inlay::proxy
