// SPDX-License-Identifier: Apache-2.0
#include "upstream/tcp_upstream.h"

#include <utility>

#include "upstream/connect.h"

namespace inlay::upstream {

bool TcpUpstream::has_room(const Cluster& cluster) {
  return cluster.breakers.connections.load(std::memory_order_relaxed) < cluster.config.max_connections;
}

TcpUpstream::TcpUpstream(net::EventLoop& loop, ConnectionPool& pool, TcpUpstreamHandler& handler,
                         std::chrono::milliseconds flush_timeout)
    : pool_(pool), handler_(handler) {
  const Cluster& cluster = pool.cluster();
  pool_.begin_tcp();
  connection_ = connect_to(loop, cluster, pool.host(), *this);
  if (cluster.config.per_connection_buffer_limit_bytes > 0) {
    connection_->set_write_watermark(cluster.config.per_connection_buffer_limit_bytes);
  }
  if (flush_timeout.count() > 0) connection_->set_flush_timeout(flush_timeout);
}

TcpUpstream::~TcpUpstream() {
  close(net::Connection::Close::kNow);
}

void TcpUpstream::write(Buffer& data) {
  pool_.cluster().stats.cx_tx_bytes_total.add(data.size());
  connection_->write(data);
}

void TcpUpstream::close(net::Connection::Close how) {
  if (!counted_) return;
  pool_.cluster().stats.cx_destroy_local.add();
  count_end();
  connection_->close(how);
}

void TcpUpstream::on_connected() {
  connected_ = true;
  handler_.on_upstream_connected();
}

void TcpUpstream::on_data(Buffer& data, bool end) {
  pool_.cluster().stats.cx_rx_bytes_total.add(data.size());
  handler_.on_upstream_data(data, end);
}

void TcpUpstream::on_closed(net::CloseReason reason, std::string_view detail) {
  ClusterStats& stats = pool_.cluster().stats;
  count_end();
  if (connected_) {
    stats.cx_destroy_remote.add();
    return handler_.on_upstream_closed(reason == net::CloseReason::kRemoteReset);
  }
  const bool late = reason == net::CloseReason::kConnectTimeout;
  stats.cx_connect_fail.add();
  if (late) stats.cx_connect_timeout.add();
  handler_.on_upstream_failed(late ? ResetReason::kConnectTimeout : ResetReason::kConnectFailure, detail);
}

void TcpUpstream::count_end() {
  if (std::exchange(counted_, false)) pool_.end_tcp();
}

}  // namespace inlay::upstream
