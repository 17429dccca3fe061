// SPDX-License-Identifier: Apache-2.0
#include "net/tcp_connection.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "net/descriptors.h"
#include "net/destruction_guard.h"
#include "net/lingering_close.h"
#include "net/socket_address.h"

namespace inlay::net {
namespace {

constexpr uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP;
// Reads of one connection in one turn of the loop, so that a fast sender does not starve the others.
constexpr int kReadsPerTurn = 16;
constexpr size_t kReadSize = Buffer::kBlockSize;
constexpr size_t kIovecs = 64;

void set_no_delay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// Closing the descriptor sends RST from now on.
void reset_when_closed(int fd) {
  const linger none{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

CloseReason why_broken(int error) {
  return error == ECONNRESET ? CloseReason::kRemoteReset : CloseReason::kBroken;
}

}  // namespace

TcpConnection::TcpConnection(EventLoop& loop, int fd, Address local, Address remote, ClientTicket ticket)
    : loop_(loop),
      fd_(fd),
      ticket_(std::move(ticket)),
      local_(std::move(local)),
      remote_(std::move(remote)),
      flush_task_(loop, DeferredTask::When::kAfterEvent, [this] { flush(); }),
      turn_task_(loop, DeferredTask::When::kNextTurn, [this] { read(); }) {
  if (!local_.is_pipe) set_no_delay(fd_);
  if (!loop_.watch(fd_, kEvents, *this)) fail(CloseReason::kBroken, errno);
}

TcpConnection::TcpConnection(EventLoop& loop, const Address& remote, std::chrono::milliseconds timeout,
                             ConnectionHandler& handler)
    : loop_(loop),
      state_(State::kConnecting),
      writable_(false),
      handler_(&handler),
      remote_(remote),
      flush_task_(loop, DeferredTask::When::kAfterEvent, [this] { flush(); }),
      turn_task_(loop, DeferredTask::When::kNextTurn, [this] { read(); }) {
  start_connect(remote, timeout);
}

TcpConnection::~TcpConnection() {
  release_socket();
  if (destroyed_) *destroyed_ = true;
}

void TcpConnection::release_socket() {
  if (fd_ < 0) return;
  loop_.unwatch(fd_, *this);
  ::close(fd_);
  fd_ = -1;
  ticket_.release();
}

void TcpConnection::start_connect(const Address& remote, std::chrono::milliseconds timeout) {
  immediate_ = true;
  auto address = to_socket_address(remote);
  if (!address) return fail(CloseReason::kConnectFailed, EINVAL);
  fd_ = socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return fail(CloseReason::kConnectFailed, errno);
  if (!descriptor_may_be_used(fd_)) return fail(CloseReason::kConnectFailed, EMFILE);
  if (!remote.is_pipe) set_no_delay(fd_);
  if (::connect(fd_, address->get(), address->size) != 0 && errno != EINPROGRESS) {
    return fail(CloseReason::kConnectFailed, errno);
  }
  if (!loop_.watch(fd_, kEvents, *this)) return fail(CloseReason::kConnectFailed, errno);
  immediate_ = false;
  connect_timer_ = std::make_unique<Timer>(loop_, [this] {
    fail(CloseReason::kConnectTimeout, ETIMEDOUT);
    turn_task_.cancel();
    report_failure();
  });
  connect_timer_->arm(timeout);
}

void TcpConnection::finish_connect() {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  connect_timer_->disarm();
  if (error != 0) {
    fail(CloseReason::kConnectFailed, error);
    turn_task_.cancel();
    return report_failure();
  }
  state_ = State::kOpen;
  writable_ = true;
  local_ = local_address_of(fd_);
  if (!out_.empty() || shutdown_) flush_task_.schedule();
  handler_->on_connected();
}

void TcpConnection::on_io(uint32_t events) {
  if (state_ == State::kConnecting) {
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return;
    DestructionGuard guard(destroyed_);
    finish_connect();
    if (guard.destroyed() || state_ != State::kOpen) return;
  }
  if (state_ != State::kOpen) return;
  if ((events & EPOLLOUT) && !writable_) {
    writable_ = true;
    if (!out_.empty()) flush_task_.schedule();
  }
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) peer_closing_ = true;
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) readable_ = true;
  if ((events & EPOLLERR) && (!reading_ || end_seen_)) {  // a reset is news even while bytes are not wanted
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) error = ECONNRESET;
    fail(why_broken(error), error);
    turn_task_.cancel();
    return report_failure();
  }
  read();
}

void TcpConnection::pause_reading() {
  reading_ = false;
  if (state_ != State::kOpen) return;
  turn_task_.cancel();
  if (write_errno_ != 0) fail(why_broken(write_errno_), write_errno_);
}

void TcpConnection::resume_reading() {
  reading_ = true;
  if (state_ == State::kOpen && (!in_.empty() || (readable_ && !end_seen_))) turn_task_.schedule();
}

// One recv, into the empty buffer. False: the connection failed. `more`: another one may bring something.
bool TcpConnection::read_once(bool& more) {
  const auto space = in_.reserve(kReadSize);
  const ssize_t n = recv(fd_, space.data(), space.size(), 0);
  if (n > 0) {
    in_.commit(static_cast<size_t>(n));
    more = static_cast<size_t>(n) == space.size() || peer_closing_;
    if (!more) readable_ = false;
    return true;
  }
  const int error = errno;
  more = false;
  in_ = Buffer();  // gives the reserved block back
  if (n == 0) {
    end_seen_ = true;
    readable_ = false;
    return true;
  }
  if (error == EINTR) {
    more = true;
    return true;
  }
  if (error == EAGAIN || error == EWOULDBLOCK) {
    readable_ = false;
    peer_closing_ = false;
    return true;
  }
  fail(why_broken(error), error);
  return false;
}

void TcpConnection::read() {
  DestructionGuard guard(destroyed_);
  if (reading_ || state_ == State::kFailed) read_some();
  if (guard.destroyed() || reading_ || end_seen_ || !peer_closing_ || state_ != State::kOpen) return;
  if (handler_ != nullptr) handler_->on_peer_closing();
}

// What the handler has left goes first, and only an empty buffer takes more: what waits for the handler waits in the
// kernel, where the peer feels it, and never costs more than one block here.
void TcpConnection::read_some() {
  if (state_ == State::kFailed) return report_failure();
  if (state_ != State::kOpen || !reading_) return;
  DestructionGuard guard(destroyed_);
  if (!in_.empty()) {
    handler_->on_data(in_, false);
    if (guard.destroyed() || state_ != State::kOpen || !reading_ || !in_.empty()) return;
  }
  bool more = readable_ && !end_seen_;
  for (int i = 0; more && i < kReadsPerTurn; ++i) {
    if (!read_once(more)) {
      turn_task_.cancel();
      return report_failure();
    }
    if (in_.empty() && !end_seen_) continue;
    handler_->on_data(in_, end_seen_);
    if (guard.destroyed() || state_ != State::kOpen) return;
    if (end_seen_ && write_errno_ != 0) return fail(why_broken(write_errno_), write_errno_);
    if (!reading_ || !in_.empty()) return;
  }
  if (more) turn_task_.schedule();
}

void TcpConnection::write(Buffer& data) {
  if (takes_writes()) {
    out_.move_from(data);
    after_append();
  }
  data.clear();
}

void TcpConnection::write(std::string_view data) {
  if (!takes_writes()) return;
  out_.append(data);
  after_append();
}

bool TcpConnection::takes_writes() const {
  return (state_ == State::kOpen || state_ == State::kConnecting) && write_errno_ == 0;
}

void TcpConnection::after_append() {
  if (writable_) {
    if (out_.size() >= kFlushAt) {
      DestructionGuard guard(destroyed_);
      flush();
      if (guard.destroyed()) return;
    } else if (!out_.empty()) {
      flush_task_.schedule();
    }
  }
  check_high_watermark();
}

void TcpConnection::check_high_watermark() {
  if (above_ || state_ == State::kFailed || out_.size() <= high_) return;
  above_ = true;
  if (handler_) handler_->on_above_write_watermark();
}

// One system call's worth. A single piece, the usual case, goes by send, which costs the kernel less than sendmsg.
ssize_t TcpConnection::send_some() {
  const std::string_view front = out_.front();
  if (front.size() == out_.size()) return send(fd_, front.data(), front.size(), MSG_NOSIGNAL);
  std::array<iovec, kIovecs> pieces;
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = out_.iovecs(pieces.data(), pieces.size());
  return sendmsg(fd_, &message, MSG_NOSIGNAL);
}

void TcpConnection::flush() {
  if (state_ != State::kOpen) return;
  while (!out_.empty() && writable_) {
    const ssize_t n = send_some();
    if (n >= 0) {
      out_.drain(static_cast<size_t>(n));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      writable_ = false;
    } else if (errno != EINTR) {
      // Bytes that came before the reset are read first: an early answer is worth more than the failed write.
      write_errno_ = errno;
      out_.clear();
      if (!reading_ || end_seen_) return fail(why_broken(write_errno_), write_errno_);
      peer_closing_ = readable_ = true;
      turn_task_.schedule();
      return;
    }
  }
  if (out_.empty() && shutdown_ && !fin_sent_) {
    fin_sent_ = true;
    ::shutdown(fd_, SHUT_WR);
  }
  if (above_) check_low_watermark();
}

void TcpConnection::check_low_watermark() {
  if (out_.size() > high_ / 2) return;
  above_ = false;
  if (handler_) handler_->on_below_write_watermark();
}

void TcpConnection::set_write_watermark(size_t high) {
  high_ = high;
  if (above_) check_low_watermark();
  check_high_watermark();
}

void TcpConnection::shutdown_write() {
  if (shutdown_) return;
  shutdown_ = true;
  if (state_ == State::kOpen && out_.empty()) flush_task_.schedule();
}

void TcpConnection::close(Close how) {
  const bool open = state_ == State::kOpen;
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  handler_ = nullptr;
  flush_task_.cancel();
  turn_task_.cancel();
  connect_timer_.reset();
  if (how == Close::kAfterFlush && open && !(out_.empty() && end_seen_)) {
    loop_.unwatch(fd_, *this);
    LingeringClose::start(loop_, std::exchange(fd_, -1), std::move(out_), linger_, flush_timeout_.value_or(linger_),
                          std::move(ticket_));
  } else {
    if (how == Close::kReset && fd_ >= 0) reset_when_closed(fd_);
    release_socket();
  }
  in_ = Buffer();
  out_ = Buffer();
}

// The socket is released at once; the handler hears of it on the next turn unless the caller reports it itself.
void TcpConnection::fail(CloseReason reason, int error) {
  state_ = State::kFailed;
  failure_ = reason;
  failure_errno_ = error;
  flush_task_.cancel();
  if (connect_timer_) connect_timer_->disarm();
  release_socket();
  turn_task_.schedule();
}

void TcpConnection::report_failure() {
  state_ = State::kClosed;
  ConnectionHandler* handler = std::exchange(handler_, nullptr);
  std::array<char, 128> text{};
  std::string detail = strerror_r(failure_errno_, text.data(), text.size());
  if (failure_ == CloseReason::kConnectFailed) {
    detail.insert(0, immediate_ ? "immediate connect error: " : "delayed connect error: ");
    if (immediate_) detail += "|remote address:" + remote_.to_string();
  }
  if (handler) handler->on_closed(failure_, detail);
}

uint64_t Connection::id() {
  static std::atomic<uint64_t> last{0};
  if (id_ == 0) id_ = last.fetch_add(1, std::memory_order_relaxed) + 1;
  return id_;
}

std::unique_ptr<Connection> connect(EventLoop& loop, const Address& address, std::chrono::milliseconds timeout,
                                    ConnectionHandler& handler) {
  return std::make_unique<TcpConnection>(loop, address, timeout, handler);
}

}  // namespace inlay::net
