// SPDX-License-Identifier: Apache-2.0
#include "proxy/start_clients.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace inlay::proxy {
namespace {

constexpr size_t kMostHead = 8192;

struct RequestLine {
  std::string_view method;
  std::string_view path;  // empty if there is no request
};

RequestLine request_line(std::string_view head) {
  const std::string_view line = head.substr(0, head.find_first_of("\r\n"));
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return {};
  const std::string_view target = line.substr(space + 1);
  return {line.substr(0, space), target.substr(0, target.find_first_of(" ?"))};
}

bool is_whole(const std::string& head) {
  return head.size() >= kMostHead || head.find("\r\n\r\n") != std::string::npos;
}

}  // namespace

StartClients::StartClients(int listener, Answer answer) : listener_(listener), answer_(std::move(answer)) {}

StartClients::~StartClients() {
  for (Client& client : clients_) {
    serve(client);
    close(client.socket);
  }
}

void StartClients::watch(std::vector<pollfd>& polled, Clock::time_point now) const {
  if (listener_ >= 0 && now >= paused_until_) polled.push_back({listener_, POLLIN, 0});
  for (const Client& client : clients_) polled.push_back({client.socket, POLLIN, 0});
}

StartClients::Clock::time_point StartClients::due() const {
  // They are in the order of their deadlines.
  auto due = clients_.empty() ? Clock::time_point::max() : clients_.front().deadline;
  if (paused_until_ != Clock::time_point::min()) due = std::min(due, paused_until_);
  return due;
}

void StartClients::serve(Clock::time_point now) {
  accept_all(now);
  for (auto client = clients_.begin(); client != clients_.end();) {
    if (serve(*client) && now < client->deadline) {
      ++client;
    } else {
      close(client->socket);
      client = clients_.erase(client);
    }
  }
}

void StartClients::accept_all(Clock::time_point now) {
  if (listener_ < 0 || now < paused_until_) return;
  paused_until_ = Clock::time_point::min();
  for (size_t i = 0; i < kMost; ++i) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      // The one that could not be accepted still waits, and poll() would say so at once.
      if (errno != EAGAIN && errno != EWOULDBLOCK) paused_until_ = now + kPause;
      return;
    }
    if (clients_.size() == kMost) {
      close(clients_.front().socket);
      clients_.pop_front();
    }
    clients_.push_back({socket, now + kPatience, {}, false});
  }
}

// What comes behind the head is read too, and the client's end is waited for: a socket that is closed with something
// unread resets the connection, and the client may lose the answer.
bool StartClients::serve(Client& client) const {
  constexpr int kReads = 64;  // of one client that sends without end, before the next one's turn
  char buffer[4096];
  bool open = true;
  for (int i = 0; i < kReads; ++i) {
    const ssize_t got = recv(client.socket, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    open = got > 0;
    if (!open) break;
    if (!is_whole(client.head)) client.head.append(buffer, static_cast<size_t>(got));
  }
  if (client.answered || (open && !is_whole(client.head))) return open;
  const RequestLine request = request_line(client.head);
  if (request.path.empty()) return false;
  const std::string out = answer_(request.method, request.path);
  (void)send(client.socket, out.data(), out.size(), MSG_NOSIGNAL);
  shutdown(client.socket, SHUT_WR);
  client.answered = true;
  return open;
}

}  // namespace inlay::proxy
