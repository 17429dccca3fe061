// SPDX-License-Identifier: Apache-2.0
#include "proxy/tcp/server_connection.h"

#include <chrono>
#include <cstdint>
#include <utility>

namespace inlay::proxy::tcp {
namespace {

using Close = net::Connection::Close;

int64_t system_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

ServerConnection::ServerConnection(ConnectionManager& manager, std::unique_ptr<net::Connection> connection,
                                   size_t index)
    : manager_(manager),
      connection_(std::move(connection)),
      index_(index),
      limit_(manager.options_.listener.per_connection_buffer_limit_bytes > 0
                 ? manager.options_.listener.per_connection_buffer_limit_bytes
                 : SIZE_MAX),
      chain_(manager.loop_, *this, manager.options_.factories) {
  downstream::StreamInfo& info = chain_.info();
  info.protocol.clear();
  info.connection_id = connection_->id();
  info.start_monotonic = manager_.loop_.now();
  info.start_system = system_now();
  info.downstream_local = &connection_->local_address();
  info.downstream_remote = info.downstream_direct_remote = &connection_->remote_address();
  connection_->set_handler(this);
  connection_->set_write_watermark(limit_);
  const auto idle = manager_.options_.listener.tcp_proxy->idle_timeout;
  if (idle.count() > 0) connection_->set_flush_timeout(idle);
}

ServerConnection::~ServerConnection() = default;

void ServerConnection::start() {
  chain_.start();
  update_reading();
}

void ServerConnection::abort() {
  end(abi::PeerType::kLocal, Close::kNow, 0);
}

// --- the socket ---

void ServerConnection::on_data(Buffer& data, bool ended) {
  manager_.stats_.downstream_cx_rx_bytes_total.add(data.size());
  chain_.info().bytes_received += data.size();
  read_ended_ = read_ended_ || ended;
  chain_.on_data(data, ended);
  if (!closed_) close_if_both_ended(abi::PeerType::kRemote);
}

void ServerConnection::on_above_write_watermark() {
  above_watermark_ = true;
  update_writing();
}

void ServerConnection::on_below_write_watermark() {
  above_watermark_ = false;
  update_writing();
}

void ServerConnection::on_closed(net::CloseReason reason, std::string_view detail) {
  reset_ = reason == net::CloseReason::kRemoteReset;
  if (manager_.options_.listener.tls && connection_->tls() == nullptr)
    chain_.info().downstream_transport_failure = detail;
  end(abi::PeerType::kRemote, Close::kNow, 0);
}

// --- the chain ---

void ServerConnection::send(Buffer& data, bool end_stream) {
  manager_.stats_.downstream_cx_tx_bytes_total.add(data.size());
  chain_.info().bytes_sent += data.size();
  connection_->write(data);
  if (!end_stream) return;
  write_ended_ = true;
  connection_->shutdown_write();
  close_if_both_ended(abi::PeerType::kLocal);
}

// The details are HTTP's: as in Envoy the log of a TCP connection has none.
void ServerConnection::close(Close how, std::string_view, uint32_t flags) {
  end(abi::PeerType::kLocal, how, flags);
}

void ServerConnection::allow_reading(bool allowed) {
  if (closed_ || reading_allowed_ == allowed) return;
  reading_allowed_ = allowed;
  update_reading();
}

void ServerConnection::on_buffers_changed() {
  update_reading();
  update_writing();
}

// As much as may wait behind a filter is read, and no more.
void ServerConnection::update_reading() {
  const bool read = reading_allowed_ && chain_.read_waiting() < limit_;
  if (closed_ || read == reading_) return;
  reading_ = read;
  read ? connection_->resume_reading() : connection_->pause_reading();
}

void ServerConnection::update_writing() {
  const bool blocked = above_watermark_ || chain_.write_waiting() >= limit_;
  if (closed_ || blocked == writing_blocked_) return;
  writing_blocked_ = blocked;
  chain_.on_write_watermark(blocked);
}

// --- the end ---

// As in Envoy it is who ends last that has closed the connection.
void ServerConnection::close_if_both_ended(abi::PeerType by) {
  if (read_ended_ && write_ended_) end(by, Close::kAfterFlush, 0);
}

void ServerConnection::end(abi::PeerType by, Close how, uint32_t flags) {
  if (std::exchange(closed_, true)) return;
  chain_.info().response_flags |= flags;
  connection_->close(how);
  chain_.on_close(by, reset_);
  log();
  manager_.release(*this);
}

void ServerConnection::log() {
  if (manager_.options_.loggers.empty()) return;
  http::HeaderMap none;
  const downstream::StreamRecord record{chain_.info(), none, none, none, none, manager_.loop_.now()};
  for (downstream::StreamLogger* logger : manager_.options_.loggers) logger->log(record);
}

}  // namespace inlay::proxy::tcp
