// SPDX-License-Identifier: Apache-2.0
#include "proxy/start_watch.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace inlay::proxy {
namespace {

using std::chrono::milliseconds;

// One client at a time: one that sends nothing keeps the others waiting no longer than this.
constexpr milliseconds kPatience{500};

// The path that an HTTP/1 request asks for; empty if there is no request.
std::string_view path_of(std::string_view request) {
  const size_t begin = request.find(' ');
  if (begin == std::string_view::npos) return {};
  request.remove_prefix(begin + 1);
  return request.substr(0, request.find_first_of(" ?\r\n"));
}

std::string response(std::string_view status, std::string_view body) {
  std::string out("HTTP/1.1 ");
  out.append(status).append(
      "\r\ncontent-type: text/plain; charset=UTF-8\r\ncache-control: no-cache, max-age=0\r\n"
      "x-content-type-options: nosniff\r\nserver: envoy\r\nconnection: close\r\ncontent-length: ");
  out.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
  return out;
}

// The head of a request, as far as it comes in time.
std::string read_head(int client) {
  constexpr size_t kMost = 8192;
  std::string head;
  char buffer[2048];
  pollfd waiting{client, POLLIN, 0};
  while (head.size() < kMost && head.find("\r\n\r\n") == std::string::npos) {
    if (poll(&waiting, 1, static_cast<int>(kPatience.count())) <= 0) break;
    const ssize_t got = recv(client, buffer, sizeof buffer, 0);
    if (got <= 0) break;
    head.append(buffer, static_cast<size_t>(got));
  }
  return head;
}

}  // namespace

StartWatch::StartWatch(Logger& log, milliseconds interval)
    : log_(log), interval_(interval), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void StartWatch::begin(int socket, std::function<bool(std::string_view)> allowed) {
  socket_ = socket;
  allowed_ = std::move(allowed);
  thread_ = std::jthread([this] { run(); });
}

void StartWatch::doing(std::string what) {
  const std::lock_guard lock(mutex_);
  what_ = std::move(what);
  since_ = Clock::now();
  due_ = since_ + interval_;
}

void StartWatch::initializing() {
  const std::lock_guard lock(mutex_);
  initializing_ = true;
}

std::string StartWatch::text() const {
  const std::lock_guard lock(mutex_);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - since_);
  return (initializing_ ? "INITIALIZING\n" : "PRE_INITIALIZING\n") + what_ + " (" + std::to_string(seconds.count()) +
         " s)\n";
}

void StartWatch::end() {
  if (thread_.joinable()) {
    eventfd_write(wake_, 1);
    thread_.join();
  }
  if (wake_ >= 0) close(std::exchange(wake_, -1));
}

void StartWatch::run() {
  pthread_setname_np(pthread_self(), "start");
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(log_if_due() - Clock::now());
    pollfd waiting[] = {{wake_, POLLIN, 0}, {socket_, POLLIN, 0}};
    // doing() changes what is due without a word: looking again after an interval at most is often enough.
    const int timeout = static_cast<int>(std::clamp(left, milliseconds(1), interval_).count());
    if (poll(waiting, 2, timeout) < 0 && errno != EINTR) return;
    if (waiting[0].revents != 0) return;
    if (waiting[1].revents == 0) continue;
    const int client = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) continue;
    answer(client);
    close(client);
  }
}

void StartWatch::answer(int client) {
  const std::string head = read_head(client);
  const std::string_view path = path_of(head);
  if (path.empty()) return;
  const std::string out = allowed_(path)
                              ? response("503 Service Unavailable", text())
                              : response("403 Forbidden", "request to path " + std::string(path) + " not allowed");
  (void)send(client, out.data(), out.size(), MSG_NOSIGNAL);
  shutdown(client, SHUT_WR);
}

StartWatch::Clock::time_point StartWatch::log_if_due() {
  std::string line;
  Clock::time_point due;
  {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    if (now >= due_) {
      line = "still starting: " + what_ + ", for " +
             std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now - since_).count()) + " s";
      due_ = now + interval_;
    }
    due = due_;
  }
  if (!line.empty()) log_.info("main", line);
  return due;
}

}  // namespace inlay::proxy
