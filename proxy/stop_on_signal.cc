// SPDX-License-Identifier: Apache-2.0
#include "proxy/stop_on_signal.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

namespace inlay::proxy {

StopOnSignal::StopOnSignal(const sigset_t& signals, std::stop_source stop) {
  signals_ = signalfd(-1, &signals, SFD_CLOEXEC);
  end_ = eventfd(0, EFD_CLOEXEC);
  if (signals_ < 0 || end_ < 0) return;
  thread_ = std::jthread([this, source = std::move(stop)]() mutable {
    pollfd waiting[] = {{signals_, POLLIN, 0}, {end_, POLLIN, 0}};
    while (poll(waiting, 2, -1) < 0 && errno == EINTR) continue;
    if (waiting[0].revents != 0) source.request_stop();
  });
}

StopOnSignal::~StopOnSignal() {
  if (thread_.joinable()) {
    eventfd_write(end_, 1);
    thread_.join();
  }
  if (signals_ >= 0) close(signals_);
  if (end_ >= 0) close(end_);
}

}  // namespace inlay::proxy
