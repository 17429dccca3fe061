// SPDX-License-Identifier: Apache-2.0
#pragma once

// ServerConnection: one client's TCP connection: its socket on one side, its filter chain on the other. Inside of tcp/.

#include <memory>
#include <string_view>

#include "net/connection.h"
#include "proxy/tcp/connection_manager.h"
#include "proxy/tcp/filter_chain.h"

namespace inlay::proxy::tcp {

class ServerConnection final : net::ConnectionHandler, FilterChain::Sink {
 public:
  ServerConnection(ConnectionManager& manager, std::unique_ptr<net::Connection> connection, size_t index);
  ~ServerConnection() override;

  size_t index() const { return index_; }  // in the manager's list
  void set_index(size_t index) { index_ = index; }

  // Tells the filters. The connection may be released to the manager when it returns.
  void start();
  // Closes at once.
  void abort();

 private:
  // net::ConnectionHandler
  void on_data(Buffer& data, bool end) override;
  void on_above_write_watermark() override;
  void on_below_write_watermark() override;
  void on_closed(net::CloseReason reason, std::string_view detail) override;

  // FilterChain::Sink
  void send(Buffer& data, bool end_stream) override;
  void close(net::Connection::Close how, std::string_view details, uint32_t flags) override;
  void allow_reading(bool allowed) override;
  void describe(downstream::StreamInfo& info) override { info.downstream_tls = connection_->tls(); }
  void on_buffers_changed() override;

  void end(abi::PeerType by, net::Connection::Close how, uint32_t flags);
  void close_if_both_ended(abi::PeerType by);
  void update_reading();
  void update_writing();
  void log();

  ConnectionManager& manager_;
  std::unique_ptr<net::Connection> connection_;
  size_t index_;
  const size_t limit_;  // of what waits, either way
  FilterChain chain_;
  bool reading_ = false;
  bool reading_allowed_ = true;
  bool above_watermark_ = false;  // the client's socket is full
  bool writing_blocked_ = false;  // what the last filter was told
  bool read_ended_ = false;
  bool write_ended_ = false;
  bool closed_ = false;
  bool reset_ = false;  // ... by the client's RST
};

}  // namespace inlay::proxy::tcp
