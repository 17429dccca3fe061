// SPDX-License-Identifier: Apache-2.0
#pragma once

// StartWatch tells how far a start is, while the main thread, whose loop does not run yet, reads modules, compiles them
// and waits for guests: to whoever asks the admin's port, and in the log.
//
//     StartWatch watch(log);
//     watch.begin(admin->socket(), [&](std::string_view path) { return admin->allows(path); });
//     watch.doing("compiling filter.wasm");
//     watch.end();                                    // from here on the admin server answers

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "proxy/logging/log.h"

namespace inlay::proxy {

// Made and destroyed by one thread; doing() may come from any.
class StartWatch {
 public:
  // A line in the log for each `interval` that a step goes on.
  explicit StartWatch(logging::Logger& log, std::chrono::milliseconds interval = std::chrono::seconds(5));
  StartWatch(const StartWatch&) = delete;
  StartWatch& operator=(const StartWatch&) = delete;
  ~StartWatch() { end(); }

  // Begins to log, and to answer each request on this listening socket, which remains the caller's, with 503 and
  // text(), or with 403 what `allowed` does not take. -1: nobody asks. At most once. A slow client holds up no other.
  void begin(int socket, std::function<bool(std::string_view path)> allowed);
  // What the start does now: "compiling filter.wasm".
  void doing(std::string what);
  // "PRE_INITIALIZING", the first word, is Envoy's, as is "INITIALIZING", which follows once the workers start.
  void initializing();
  // "PRE_INITIALIZING\ncompiling filter.wasm (12 s)\n"
  std::string text() const;
  // Stops answering and logging, at once: it waits for no client. Who has not asked in full is sent away.
  void end();

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  std::string answer(std::string_view method, std::string_view path) const;
  Clock::time_point log_if_due();

  logging::Logger& log_;
  const std::chrono::milliseconds interval_;
  mutable std::mutex mutex_;
  std::string what_ = "reading the configuration";
  Clock::time_point since_ = Clock::now();
  Clock::time_point due_ = since_ + interval_;
  bool initializing_ = false;
  std::function<bool(std::string_view)> allowed_;
  int socket_ = -1;
  int wake_;
  std::jthread thread_;
};

}  // namespace inlay::proxy
