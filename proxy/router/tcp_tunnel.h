// SPDX-License-Identifier: Apache-2.0
#pragma once

// TcpTunnel: a CONNECT that ends here (`connect_config`): its cluster gets the stream's bytes over TCP, and what it
// sends is the body of an answer, 200, that is made as soon as there is a connection. The router has one in the place
// of its UpstreamRequest, for one stream. Loop thread only.

#include <memory>
#include <string_view>

#include "base/buffer.h"
#include "net/event_loop.h"
#include "upstream/connection_pool.h"
#include "upstream/request.h"
#include "upstream/tcp_upstream.h"

namespace inlay::proxy::router {

class TcpTunnel final : private upstream::TcpUpstreamHandler {
 public:
  // The handler, which outlives it, may close() it inside of any call, but not destroy it.
  explicit TcpTunnel(upstream::UpstreamHandler& handler) : handler_(handler) {}

  // Starts to connect. False: circuit_breakers' max_connections allow no more.
  bool start(net::EventLoop& loop, upstream::ConnectionPool& host);
  // Takes all of `data`; it waits for the connection. `end`: FIN follows.
  void send_data(Buffer& data, bool end);
  // Holds back what the cluster sends, or lets it come again.
  void pause_response();
  void resume_response();
  // What was sent still goes to the cluster. No call of the handler follows.
  void close();

 private:
  // TcpUpstreamHandler
  void on_upstream_connected() override;
  void on_upstream_failed(upstream::ResetReason reason, std::string_view detail) override;
  void on_upstream_data(Buffer& data, bool end) override { handler_.on_upstream_data(data, end); }
  void on_upstream_closed(bool reset) override;
  void on_upstream_above_watermark() override { handler_.on_upstream_above_watermark(); }
  void on_upstream_below_watermark() override { handler_.on_upstream_below_watermark(); }

  void send_queued();

  upstream::UpstreamHandler& handler_;
  std::unique_ptr<upstream::TcpUpstream> upstream_;  // null: there was no room
  Buffer queued_;                                    // what came before the connection
  size_t limit_ = 0;                                 // of that, before the client is held back
  bool above_ = false;
  bool ended_ = false;
  bool paused_ = false;
};

}  // namespace inlay::proxy::router
