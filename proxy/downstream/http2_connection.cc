// SPDX-License-Identifier: Apache-2.0
#include "proxy/downstream/http2_connection.h"

#include <new>
#include <string>
#include <utility>

#include "proxy/downstream/http2_exchange.h"

namespace inlay::proxy::downstream {
namespace {

http2::Settings settings_of(const ConnectionManager::Impl& manager) {
  const config::Http2Options& options = manager.http.http2;
  http2::Settings out;
  out.header_table_size = options.header_table_size;
  out.max_concurrent_streams = options.max_concurrent_streams;
  out.stream_window = options.initial_stream_window_size;
  out.connection_window = options.initial_connection_window_size;
  out.max_header_bytes = manager.limits.max_header_bytes;
  out.max_header_count = manager.limits.max_header_count;
  out.write_watermark = write_limit_of(manager.options.listener);
  out.max_empty_frames = options.max_empty_frames;
  out.max_priority_frames = options.max_priority_frames;
  out.max_window_updates = options.max_window_updates;
  out.allow_connect = options.allow_connect;
  return out;
}

}  // namespace

Http2Connection::Http2Connection(ConnectionManager::Impl& manager, std::unique_ptr<net::Connection> connection,
                                 size_t index, std::vector<FilterState>* below)
    : ServerConnection(manager, index),
      connection_(std::move(connection)),
      session_(http2::Session::create(http2::Session::Kind::kServer, settings_of(manager), *this)),
      timer_(manager.loop, [this] { on_timeout(); }),
      ping_timer_(manager.loop, [this] { ping(); }),
      drain_timer_(manager.loop, [this] { finish_drain(); }),
      flush_task_(manager.loop, net::DeferredTask::When::kAfterEvents, [this] { flush(); }),
      held_task_(manager.loop, net::DeferredTask::When::kNextTurn,
                 [this] {
                   session_->deliver_held();
                   flush_task_.schedule();
                 }),
      state_{{}, below} {
  if (!session_) throw std::bad_alloc();  // as a buffer does
  manager_.stats.cx_http2_total.add();
  connection_->set_handler(this);
  configure_socket(manager, *connection_);
  connection_->resume_reading();
  flush_task_.schedule();
  arm_timer();
  if (manager_.http.http2.keepalive_interval.count() > 0) ping_timer_.arm(manager_.http.http2.keepalive_interval);
}

Http2Connection::~Http2Connection() = default;

std::unique_ptr<ServerConnection> make_http2_connection(ConnectionManager::Impl& manager,
                                                        std::unique_ptr<net::Connection>&& connection, size_t index,
                                                        std::vector<FilterState>* below) {
  return std::make_unique<Http2Connection>(manager, std::move(connection), index, below);
}

http2::Stream* Http2Connection::on_stream() {
  if (closed_ || drain_ == Drain::kFinal) return nullptr;
  manager_.stats.rq_http2_total.add();
  ++requests_;
  exchanges_.push_back(std::make_unique<Exchange>(*this, exchanges_.size()));
  in_head_ = exchanges_.back().get();
  arm_timer();
  const uint32_t most = manager_.http.max_requests_per_connection;
  if (manager_.draining || (most > 0 && requests_ >= most)) drain();
  return in_head_;
}

void Http2Connection::exchange_is_over(Exchange& exchange) {
  ++ended_streams_;
  if (in_head_ == &exchange) in_head_ = nullptr;
  const size_t place = exchange.place;
  auto owned = std::move(exchanges_[place]);
  exchanges_[place] = std::move(exchanges_.back());
  exchanges_.pop_back();
  if (place < exchanges_.size()) exchanges_[place]->place = place;
  manager_.loop.delete_later(std::move(owned));
  if (closed_) return;
  arm_timer();
  flush_task_.schedule();
}

// Envoy's overload.premature_reset_* of its runtime, with their defaults.
bool Http2Connection::resets_too_much(const Exchange& exchange) {
  constexpr uint32_t kStreams = 500;
  constexpr int64_t kPremature = 1'000'000'000;
  if (manager_.loop.now() - exchange.started() < kPremature) ++premature_resets_;
  return ended_streams_ + 1 >= kStreams && premature_resets_ * 2 > ended_streams_ + 1;
}

void Http2Connection::flush() {
  if (closed_) return;
  while (!above_watermark_ && session_->wants_to_write()) {
    session_->write(out_, net::Connection::kFlushAt);
    if (out_.empty()) break;
    connection_->write(out_);
    if (closed_) return;
    if (drain_ != Drain::kAnnounced) continue;
    drain_ = Drain::kAsked;
    session_->ping();  // not before: nghttp2 would send it first
  }
  if (!session_->failure().empty()) {
    manager_.stats.cx_protocol_error.add();
    return disconnect("http2." + session_->failure(), kDownstreamProtocolError);
  }
  if (exchanges_.empty() && (drain_ == Drain::kFinal || session_->finished()))
    close(net::Connection::Close::kAfterFlush);
}

void Http2Connection::on_data(Buffer& data, bool end) {
  session_->receive(data);
  if (closed_) return;
  if (!end) return flush_task_.schedule();
  flush();  // which finds out whether what came before the end was HTTP/2
  disconnect("downstream_remote_disconnect", kDownstreamConnectionTermination);
}

void Http2Connection::on_below_write_watermark() {
  above_watermark_ = false;
  flush_task_.schedule();
}

void Http2Connection::on_closed(net::CloseReason reason, std::string_view detail) {
  if (reason == net::CloseReason::kLocal) {
    return disconnect("downstream_local_disconnect(" + std::string(detail) + ")", kDownstreamConnectionTermination);
  }
  manager_.stats.cx_destroy_remote.add();
  disconnect("downstream_remote_disconnect", kDownstreamConnectionTermination);
}

void Http2Connection::arm_timer() {
  const auto timeout = in_head_ != nullptr ? manager_.http.request_headers_timeout : manager_.http.idle_timeout;
  if (timeout.count() > 0 && (in_head_ != nullptr || exchanges_.empty())) {
    timer_.arm(timeout);
  } else {
    timer_.disarm();
  }
}

void Http2Connection::refuse_message() {
  manager_.stats.cx_protocol_error.add();
  disconnect(kNoMessage, kDownstreamProtocolError);
}

void Http2Connection::on_timeout() {
  if (in_head_ != nullptr) {
    manager_.stats.rq_header_timeout.add();
    return disconnect("request_header_timeout", kDownstreamConnectionTermination);
  }
  manager_.stats.cx_idle_timeout.add();
  drain_ = Drain::kFinal;
  session_->shut_down();
  flush();
}

void Http2Connection::ping() {
  if (ping_is_out_) return disconnect("keepalive_timeout", kDownstreamConnectionTermination);
  ping_is_out_ = true;
  session_->ping();
  ping_timer_.arm(manager_.http.http2.keepalive_timeout);
  flush_task_.schedule();
}

// What a client sent before it could know that the connection ends is still served: first it is told that it ends, and
// when the answer to a PING behind that has come, or drain_timeout is over, it knows.
void Http2Connection::drain() {
  if (closed_ || drain_ != Drain::kNo) return;
  manager_.stats.cx_drain_close.add();
  drain_ = Drain::kAnnounced;
  drain_timer_.arm(manager_.http.drain_timeout);
  session_->announce_shut_down();
  flush_task_.schedule();
}

void Http2Connection::finish_drain() {
  drain_timer_.disarm();
  drain_ = Drain::kFinal;
  session_->shut_down();
  flush_task_.schedule();
}

void Http2Connection::on_ping_answer() {
  ping_is_out_ = false;
  const auto interval = manager_.http.http2.keepalive_interval;
  if (interval.count() > 0) ping_timer_.arm(interval);
  if (drain_ == Drain::kAsked) finish_drain();
}

void Http2Connection::abort(std::string_view details) {
  disconnect(details, kLocalReset);
}

void Http2Connection::disconnect(std::string_view details, uint32_t flag) {
  if (closed_) return;
  const std::string why(details);
  close(net::Connection::Close::kAfterFlush);
  for (size_t i = exchanges_.size(); i-- > 0;) exchanges_[i]->end(why, flag);
}

void Http2Connection::close(net::Connection::Close how) {
  if (closed_) return;
  closed_ = true;
  timer_.disarm();
  ping_timer_.disarm();
  drain_timer_.disarm();
  end_duration();
  flush_task_.cancel();
  held_task_.cancel();
  connection_->close(how);
  manager_.release(*this);
}

}  // namespace inlay::proxy::downstream
