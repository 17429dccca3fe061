// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/tcp_tunnel.h"

#include <utility>

namespace inlay::proxy::router {

using Close = net::Connection::Close;

bool TcpTunnel::start(net::EventLoop& loop, upstream::ConnectionPool& host) {
  if (!upstream::TcpUpstream::has_room(host.cluster())) {
    host.cluster().stats.cx_overflow.add();
    return false;
  }
  limit_ = host.cluster().config.per_connection_buffer_limit_bytes;
  upstream::TcpUpstreamHandler& handler = *this;
  upstream_ = std::make_unique<upstream::TcpUpstream>(loop, host, handler, std::chrono::milliseconds(0));
  return true;
}

void TcpTunnel::send_data(Buffer& data, bool end) {
  if (!upstream_) return data.clear();
  queued_.move_from(data);
  ended_ = ended_ || end;
  if (upstream_->connected()) return send_queued();
  if (queued_.size() > limit_ && !std::exchange(above_, true)) handler_.on_upstream_above_watermark();
}

void TcpTunnel::send_queued() {
  if (!queued_.empty()) upstream_->write(queued_);
  if (std::exchange(ended_, false)) upstream_->end_write();
}

void TcpTunnel::pause_response() {
  paused_ = true;
  if (upstream_ && upstream_->connected()) upstream_->pause_reading();
}

void TcpTunnel::resume_response() {
  paused_ = false;
  if (upstream_ && upstream_->connected()) upstream_->resume_reading();
}

void TcpTunnel::close() {
  if (upstream_) upstream_->close(upstream_->connected() ? Close::kAfterFlush : Close::kNow);
}

// The cluster's bytes come on a later turn of the loop, so that nothing is called after the handler's head.
void TcpTunnel::on_upstream_connected() {
  if (!paused_) upstream_->resume_reading();
  if (std::exchange(above_, false)) handler_.on_upstream_below_watermark();
  send_queued();
  handler_.on_upstream_connection(upstream_->connection());
  handler_.response_headers_storage().add(http::HeaderId::kStatus, ":status", "200");
  handler_.on_upstream_headers(false);
}

void TcpTunnel::on_upstream_failed(upstream::ResetReason reason, std::string_view detail) {
  handler_.on_upstream_reset(reason, detail);
}

void TcpTunnel::on_upstream_closed(bool /*reset*/) {
  handler_.on_upstream_reset(upstream::ResetReason::kConnectionTermination, "");
}

}  // namespace inlay::proxy::router
