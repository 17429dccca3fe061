// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace inlay::proxy {

// StopOnSignal requests a stop when one of `signals`, which are blocked, is waiting to be taken. It does not take it.
// For the time in which nobody reads signals because the program is still starting.
class StopOnSignal {
 public:
  StopOnSignal(const sigset_t& signals, std::stop_source stop);
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
  ~StopOnSignal();

 private:
  int signals_ = -1;
  int end_ = -1;
  std::jthread thread_;
};

}  // namespace inlay::proxy
