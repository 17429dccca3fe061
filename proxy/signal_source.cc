// SPDX-License-Identifier: Apache-2.0
#include "proxy/signal_source.h"

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <utility>

namespace inlay::proxy {

SignalSource::SignalSource(net::EventLoop& loop, std::function<void(int)> on_signal)
    : loop_(loop), on_signal_(std::move(on_signal)) {
  const sigset_t set = signals();
  fd_ = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd_ >= 0) loop_.watch(fd_, EPOLLIN, *this);
}

SignalSource::~SignalSource() {
  if (fd_ < 0) return;
  loop_.unwatch(fd_, *this);
  close(fd_);
}

sigset_t SignalSource::ending() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

sigset_t SignalSource::signals() {
  sigset_t set = ending();
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGHUP);
  return set;
}

void SignalSource::block() {
  const sigset_t set = signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void SignalSource::on_io(uint32_t) {
  signalfd_siginfo info;
  while (read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    on_signal_(static_cast<int>(info.ssi_signo));
  }
}

}  // namespace inlay::proxy
