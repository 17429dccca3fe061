// SPDX-License-Identifier: Apache-2.0
#include "proxy/start_watch.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "proxy/start_clients.h"

namespace inlay::proxy {
namespace {

using std::chrono::milliseconds;

std::string response(std::string_view status, std::string_view body, bool head_only) {
  std::string out("HTTP/1.1 ");
  out.append(status).append(
      "\r\ncontent-type: text/plain; charset=UTF-8\r\ncache-control: no-cache, max-age=0\r\n"
      "x-content-type-options: nosniff\r\nserver: envoy\r\nconnection: close\r\ncontent-length: ");
  out.append(std::to_string(body.size())).append("\r\n\r\n");
  if (!head_only) out.append(body);
  return out;
}

}  // namespace

StartWatch::StartWatch(logging::Logger& log, milliseconds interval)
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
  StartClients clients(socket_,
                       [this](std::string_view method, std::string_view path) { return answer(method, path); });
  std::vector<pollfd> polled;
  while (true) {
    const auto due = std::min(log_if_due(), clients.due());
    const auto left = std::chrono::ceil<milliseconds>(due - Clock::now());
    polled = {{wake_, POLLIN, 0}};
    clients.watch(polled, Clock::now());
    // doing() changes what is due without a word: looking again after an interval at most is often enough.
    const int timeout = static_cast<int>(std::clamp(left, milliseconds(1), interval_).count());
    if (poll(polled.data(), polled.size(), timeout) < 0 && errno != EINTR) return;
    if (polled[0].revents != 0) return;
    clients.serve(Clock::now());
  }
}

std::string StartWatch::answer(std::string_view method, std::string_view path) const {
  const bool head_only = method == "HEAD";
  if (allowed_(path)) return response("503 Service Unavailable", text(), head_only);
  return response("403 Forbidden", "request to path " + std::string(path) + " not allowed", head_only);
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
