// SPDX-License-Identifier: Apache-2.0
#pragma once

// TcpUpstream: one TCP connection (with TLS, if the cluster has it) to a host of a cluster, counted among the cluster's
// connections. For those who relay bytes; requests have ConnectionPool. Loop thread only.
//
//     if (ConnectionPool* host = cluster.choose_host(); host != nullptr && TcpUpstream::has_room(host->cluster()))
//       upstream = std::make_unique<TcpUpstream>(loop, *host, handler, flush_timeout);

#include <chrono>
#include <memory>
#include <string_view>

#include "base/buffer.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "upstream/connection_pool.h"
#include "upstream/request.h"

namespace inlay::upstream {

// Hears what happens on a TcpUpstream, which it may destroy inside of any call.
class TcpUpstreamHandler {
 public:
  virtual ~TcpUpstreamHandler() = default;
  // Reading begins paused.
  virtual void on_upstream_connected() = 0;
  // There will be no connection; kConnectFailure or kConnectTimeout.
  virtual void on_upstream_failed(ResetReason reason, std::string_view detail) = 0;
  // Takes all of `data`. `end`: the server has sent its last byte.
  virtual void on_upstream_data(Buffer& data, bool end) = 0;
  // The connection broke; `reset`: by the server's RST.
  virtual void on_upstream_closed(bool reset) = 0;
  // The server takes no more for now, or again. Alternating, above first.
  virtual void on_upstream_above_watermark() = 0;
  virtual void on_upstream_below_watermark() = 0;
};

class TcpUpstream final : private net::ConnectionHandler {
 public:
  // Whether circuit_breakers' max_connections allow one more.
  static bool has_room(const Cluster& cluster);

  // Starts to connect; the handler is told the outcome, never from inside of this. `flush_timeout`: how long bytes
  // that are unsent at the end may make no progress.
  TcpUpstream(net::EventLoop& loop, ConnectionPool& pool, TcpUpstreamHandler& handler,
              std::chrono::milliseconds flush_timeout);
  // Closes at once, if it is open.
  ~TcpUpstream() override;

  void write(Buffer& data);
  // FIN, after what was written.
  void end_write() { connection_->shutdown_write(); }
  void pause_reading() { connection_->pause_reading(); }
  void resume_reading() { connection_->resume_reading(); }
  // No callback follows.
  void close(net::Connection::Close how);

  bool connected() const { return connected_; }
  const HostSpec& host() const { return pool_.host(); }
  const net::Connection& connection() const { return *connection_; }

 private:
  // net::ConnectionHandler
  void on_connected() override;
  void on_data(Buffer& data, bool end) override;
  void on_above_write_watermark() override { handler_.on_upstream_above_watermark(); }
  void on_below_write_watermark() override { handler_.on_upstream_below_watermark(); }
  void on_closed(net::CloseReason reason, std::string_view detail) override;

  void count_end();

  ConnectionPool& pool_;
  TcpUpstreamHandler& handler_;
  std::unique_ptr<net::Connection> connection_;
  bool connected_ = false;
  bool counted_ = true;
};

}  // namespace inlay::upstream
