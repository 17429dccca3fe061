// SPDX-License-Identifier: Apache-2.0
#pragma once

// MemoryConnection: a client's connection without a socket. The proxy's end is a net::Connection; the client's end is
// a plain struct that outlives it.

#include <functional>
#include <string>

#include "net/connection.h"

namespace inlay::tester {

class MemoryConnection final : public net::Connection {
 public:
  // The client's end.
  struct Client {
    std::function<void(std::string_view)> on_bytes;
    std::function<void(bool reset)> on_close;
    bool reads = true;
    MemoryConnection* connection = nullptr;  // null before it is accepted and after the proxy has closed
    std::string kept;                        // what the proxy has sent while the client did not read
    bool close_kept = false;
  };

  MemoryConnection(net::EventLoop& loop, Client& client);
  ~MemoryConnection() override;

  // The client's doings; they take effect on the loop's next turn.
  void receive(std::string_view bytes);
  void receive_end();
  void receive_reset();
  void client_reads_again();

  void set_handler(net::ConnectionHandler* handler) override { handler_ = handler; }
  void pause_reading() override { reading_ = false; }
  void resume_reading() override;
  void write(Buffer& data) override;
  void write(std::string_view data) override;
  size_t unsent() const override { return out_.size(); }
  void set_write_watermark(size_t high) override { high_ = high; }
  void shutdown_write() override;
  void close(Close how) override;
  void set_linger(std::chrono::milliseconds) override {}
  void set_flush_timeout(std::chrono::milliseconds) override {}
  const Address& local_address() const override { return local_; }
  const Address& remote_address() const override { return remote_; }

 private:
  void turn();
  void flush();

  Client* client_;
  net::ConnectionHandler* handler_ = nullptr;
  Buffer in_;
  Buffer out_;
  bool reading_ = false;
  bool end_ = false;
  bool end_told_ = false;
  bool reset_ = false;
  bool above_ = false;
  bool ending_ = false;  // shutdown_write() was called
  size_t high_ = SIZE_MAX;
  bool* destroyed_ = nullptr;
  Address local_{"127.0.0.1", 10000};
  Address remote_{"127.0.0.1", 50000};
  net::DeferredTask turn_task_;
  net::DeferredTask flush_task_;
};

}  // namespace inlay::tester
