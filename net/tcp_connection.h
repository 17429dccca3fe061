// SPDX-License-Identifier: Apache-2.0
#pragma once

// TcpConnection: Connection over a non-blocking socket, of TCP or of a pipe. Inside of net/.

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/buffer.h"
#include "net/connection.h"
#include "net/event_loop.h"

namespace inlay::net {

class TcpConnection final : public Connection, IoHandler {
 public:
  // An accepted socket. `ticket` is given back when the socket is closed.
  TcpConnection(EventLoop& loop, int fd, Address local, Address remote, ClientTicket ticket = {});
  // A socket that connects to `remote`.
  TcpConnection(EventLoop& loop, const Address& remote, std::chrono::milliseconds timeout, ConnectionHandler& handler);
  ~TcpConnection() override;

  void set_handler(ConnectionHandler* handler) override { handler_ = handler; }
  void pause_reading() override;
  void resume_reading() override;
  void write(Buffer& data) override;
  void write(std::string_view data) override;
  size_t unsent() const override { return out_.size(); }
  void set_write_watermark(size_t high) override;
  void shutdown_write() override;
  void close(Close how) override;
  void set_linger(std::chrono::milliseconds longest) override { linger_ = longest; }
  void set_flush_timeout(std::chrono::milliseconds longest) override { flush_timeout_ = longest; }
  bool has_news() const override { return readable_ || announced(); }
  const Address& local_address() const override { return local_; }
  const Address& remote_address() const override { return remote_; }

 private:
  enum class State : uint8_t { kConnecting, kOpen, kFailed, kClosed };

  void on_io(uint32_t events) override;
  void start_connect(const Address& remote, std::chrono::milliseconds timeout);
  void finish_connect();
  void read();
  void read_some();
  bool read_once(bool& more);
  bool takes_writes() const;
  void after_append();
  ssize_t send_some();
  void flush();
  void check_high_watermark();
  void check_low_watermark();
  void fail(CloseReason reason, int error);
  void report_failure();
  void release_socket();

  EventLoop& loop_;
  int fd_ = -1;
  ClientTicket ticket_;
  State state_ = State::kOpen;
  bool reading_ = false;
  bool readable_ = false;      // bytes or FIN may wait in the kernel
  bool peer_closing_ = false;  // FIN or RST was announced: a short read is not the last
  bool end_seen_ = false;
  bool writable_ = true;
  bool shutdown_ = false;  // FIN after what is unsent
  bool fin_sent_ = false;
  bool above_ = false;
  CloseReason failure_ = CloseReason::kRemoteReset;
  int failure_errno_ = 0;
  bool immediate_ = false;  // what failed was connect() itself
  int write_errno_ = 0;     // a write failed; what the peer sent before is still read
  ConnectionHandler* handler_ = nullptr;
  bool* destroyed_ = nullptr;  // on the stack of the innermost callback
  size_t high_ = SIZE_MAX;
  std::chrono::milliseconds linger_{1'000};
  std::optional<std::chrono::milliseconds> flush_timeout_;
  Buffer in_;
  Buffer out_;
  Address local_;
  Address remote_;
  DeferredTask flush_task_;
  DeferredTask turn_task_;  // reads what waits, or reports a failure
  std::unique_ptr<Timer> connect_timer_;
};

}  // namespace inlay::net
