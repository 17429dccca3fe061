// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <functional>

#include "net/event_loop.h"

namespace inlay::proxy {

// SignalSource hands the process's signals (SIGTERM, SIGINT, SIGUSR1, SIGHUP) to a loop, on its thread. They must be
// blocked in every thread: block() does so for the calling thread and for all that are made after. As in Envoy, the
// others do what they always do, but for SIGPIPE, which the program ignores.
class SignalSource final : public net::IoHandler {
 public:
  SignalSource(net::EventLoop& loop, std::function<void(int)> on_signal);
  ~SignalSource();
  SignalSource(const SignalSource&) = delete;
  SignalSource& operator=(const SignalSource&) = delete;

  static sigset_t signals();
  // Those of them that end the process.
  static sigset_t ending();
  static void block();

  void on_io(uint32_t) override;

 private:
  net::EventLoop& loop_;
  std::function<void(int)> on_signal_;
  int fd_ = -1;
};

}  // namespace inlay::proxy
