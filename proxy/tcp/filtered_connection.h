// SPDX-License-Identifier: Apache-2.0
#pragma once

// FilteredConnection: a net::Connection whose bytes pass through network filters. Inside of tcp/. Its owner destroys it
// on a later turn of the loop than it closes it, as downstream::ConnectionManager does, and not inside of a callback.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/connection.h"
#include "net/event_loop.h"
#include "proxy/tcp/filter_chain.h"

namespace inlay::proxy::tcp {

class FilteredConnection final : public net::Connection, private net::ConnectionHandler, private FilterChain::Sink {
 public:
  // `listener` outlives it, as does what `factories` points to.
  FilteredConnection(net::EventLoop& loop, std::unique_ptr<net::Connection> inner, const config::Listener& listener,
                     const std::vector<FilterFactory*>& factories);
  ~FilteredConnection() override;

  // Tells the filters of the connection, once it has its handler.
  void start() { chain_.start(); }
  downstream::StreamInfo& info() { return chain_.info(); }

  // net::Connection
  void set_handler(net::ConnectionHandler* handler) override { handler_ = handler; }
  void pause_reading() override;
  void resume_reading() override;
  void write(Buffer& data) override;
  void write(std::string_view data) override;
  size_t unsent() const override { return chain_.write_waiting() + inner_->unsent(); }
  void set_write_watermark(size_t high) override;
  void shutdown_write() override;
  void close(Close how) override;
  void set_linger(std::chrono::milliseconds longest) override { inner_->set_linger(longest); }
  void set_flush_timeout(std::chrono::milliseconds longest) override { inner_->set_flush_timeout(longest); }
  const Address& local_address() const override { return inner_->local_address(); }
  const Address& remote_address() const override { return inner_->remote_address(); }
  const net::TlsInfo* tls() const override { return inner_->tls(); }

 private:
  class Last;  // the filter behind the others: the handler

  // net::ConnectionHandler, of the connection below
  void on_data(Buffer& data, bool end) override;
  void on_peer_closing() override;
  void on_above_write_watermark() override;
  void on_below_write_watermark() override;
  void on_closed(net::CloseReason reason, std::string_view detail) override;

  // FilterChain::Sink. The handler is told of a filter's close on the loop's next turn.
  void send(Buffer& data, bool end_stream) override;
  void close(Close how, std::string_view details, uint32_t flags) override;
  void allow_reading(bool) override {}
  void describe(downstream::StreamInfo& info) override { info.downstream_tls = inner_->tls(); }
  void on_buffers_changed() override;

  void turn();
  void deliver();
  void update_reading();
  void update_writing();

  std::unique_ptr<net::Connection> inner_;
  net::ConnectionHandler* handler_ = nullptr;
  const config::Listener& listener_;
  const size_t limit_;  // of what may wait behind a filter before no more is read
  size_t high_ = SIZE_MAX;
  FilterCallbacks* last_ = nullptr;  // of the chain's last filter
  FilterChain chain_;
  Buffer in_;  // has passed the filters, and the handler has not taken it
  Buffer scratch_;
  std::string close_details_;
  bool handler_reads_ = false;
  bool inner_reads_ = false;
  bool closing_ = false;       // the client has sent its last byte, and not all is read
  bool ended_ = false;         // the client has sent its last byte
  bool end_told_ = false;      // to the handler
  bool above_ = false;         // the connection below takes no more for now
  bool told_above_ = false;    // to the handler
  bool closed_ = false;        // below; nothing is passed on any more
  bool close_unsaid_ = false;  // the handler has not heard of it
  net::DeferredTask turn_task_;
  net::DeferredTask watermark_task_;
};

}  // namespace inlay::proxy::tcp
