// SPDX-License-Identifier: Apache-2.0
#include "net/lingering_close.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace inlay::net {
namespace {

// A peer that keeps sending is cut off after this much.
constexpr int kReadsPerEvent = 16;

}  // namespace

void LingeringClose::start(EventLoop& loop, int fd, Buffer unsent, std::chrono::milliseconds longest,
                           std::chrono::milliseconds flush, ClientTicket ticket) {
  auto* closing = new LingeringClose(loop, fd, std::move(unsent), longest, flush, std::move(ticket));
  lingering_list(loop).add(*closing);
  if (!closing->step() || !loop.watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP, *closing)) delete closing;
}

LingeringClose::LingeringClose(EventLoop& loop, int fd, Buffer unsent, std::chrono::milliseconds longest,
                               std::chrono::milliseconds flush, ClientTicket ticket)
    : loop_(loop),
      fd_(fd),
      ticket_(std::move(ticket)),
      out_(std::move(unsent)),
      longest_(longest),
      flush_(flush),
      timer_(loop, [this] { delete this; }) {
  timer_.arm(out_.empty() ? longest_ : flush_);
}

LingeringClose::~LingeringClose() {
  loop_.unwatch(fd_, *this);
  close(fd_);
  lingering_list(loop_).remove(*this);
}

void LingeringClose::on_io(uint32_t events) {
  if ((events & EPOLLERR) || !step()) delete this;
}

bool LingeringClose::step() {
  return send_rest() && drop_input();
}

bool LingeringClose::send_rest() {
  while (!out_.empty()) {
    std::array<iovec, 64> pieces;
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = out_.iovecs(pieces.data(), pieces.size());
    const ssize_t n = sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (n >= 0) {
      out_.drain(static_cast<size_t>(n));
      timer_.arm(out_.empty() ? longest_ : flush_);  // the time runs from the last progress
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return true;
    } else if (errno != EINTR) {
      return false;
    }
  }
  if (!fin_sent_) {
    fin_sent_ = true;
    if (shutdown(fd_, SHUT_WR) != 0) return false;
  }
  return true;
}

bool LingeringClose::drop_input() {
  std::array<char, 16 * 1024> scratch;
  for (int i = 0; i < kReadsPerEvent; ++i) {
    const ssize_t n = recv(fd_, scratch.data(), scratch.size(), 0);
    if (n == 0) return !out_.empty();  // a half-closed peer still gets the rest
    if (n < 0 && errno != EINTR) return errno == EAGAIN || errno == EWOULDBLOCK;
  }
  return true;
}

void LingeringList::clear() {
  on_empty_.clear();
  LingeringClose* closing = std::exchange(first_, nullptr);
  while (closing != nullptr) {
    LingeringClose* const next = closing->next_;
    delete closing;  // takes itself off the list
    closing = next;
  }
}

void LingeringList::add(LingeringClose& closing) {
  closing.next_ = first_;
  closing.previous_ = &first_;
  if (first_) first_->previous_ = &closing.next_;
  first_ = &closing;
}

void LingeringList::remove(LingeringClose& closing) {
  *closing.previous_ = closing.next_;
  if (closing.next_) closing.next_->previous_ = closing.previous_;
  notify();
}

void after_flushes(EventLoop& loop, std::function<void()> done) {
  lingering_list(loop).when_empty([&loop, done = std::move(done)] { loop.post(done); });
}

}  // namespace inlay::net
