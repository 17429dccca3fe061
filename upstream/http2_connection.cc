// SPDX-License-Identifier: Apache-2.0
#include "upstream/http2_connection.h"

#include <algorithm>
#include <string>
#include <utility>

#include "http/upgrade.h"
#include "upstream/connect.h"
#include "upstream/connection_pool.h"

namespace inlay::upstream {
namespace {

http2::Settings settings_of(const config::Cluster& cluster) {
  http2::Settings out;
  out.header_table_size = cluster.http2->header_table_size;
  out.max_concurrent_streams = cluster.http2->max_concurrent_streams;
  out.stream_window = cluster.http2->initial_stream_window_size;
  out.connection_window = cluster.http2->initial_connection_window_size;
  out.write_watermark = cluster.per_connection_buffer_limit_bytes;
  return out;
}

// HTTP/2 has no request without a scheme (RFC 9113, section 8.3.1), and a filter may have removed it: Envoy 1.40 sends
// such a request, too.
void give_scheme(http::HeaderMap& headers) {
  if (headers.has(http::HeaderId::kScheme)) [[likely]]
    return;
  const bool https = headers.value(http::HeaderId::kXForwardedProto) == "https";
  headers.add(":scheme", https ? "https" : "http");
}

}  // namespace

// The stream of one request. It outlives the request by as long as the codec needs it.
class Http2Connection::RequestStream final : public http2::Stream, public ClientStream {
 public:
  RequestStream(Http2Connection& owner, UpstreamRequest& request, size_t at)
      : place(at), owner_(owner), request_(&request) {}

  bool has_request() const { return request_ != nullptr; }
  // The request forgets it, and the pool.
  void abandon() {
    if (request_ == nullptr) return;
    request_->stream_ = nullptr;
    request_->pool_ = nullptr;
    request_ = nullptr;
  }

  // ClientStream
  void send_data(Buffer& data, bool end_stream) override {
    owner_.session_->send_data(*this, data, end_stream);
    owner_.flush_task_.schedule();
  }
  void send_trailers(const http::HeaderMap& trailers) override {
    owner_.session_->send_trailers(*this, trailers);
    owner_.flush_task_.schedule();
  }
  void pause_response() override { owner_.session_->pause(*this); }
  void resume_response() override {
    if (owner_.session_->resume(*this)) owner_.held_task_.schedule();
    owner_.flush_task_.schedule();  // the window that the peer gets back
  }
  bool above_watermark() const override { return above_; }
  void cancel() override {
    request_ = nullptr;
    end(http2::ErrorCode::kCancel);
  }

  size_t place;  // in the owner's list

 private:
  // http2::Stream
  http::HeaderMap& headers_storage() override {
    head_ = &request_->handler_.response_headers_storage();  // which empties it
    return *head_;
  }
  http::HeaderMap& trailers_storage() override { return request_->handler_.response_trailers_storage(); }
  void on_informational() override { request_->handler_.on_upstream_informational(); }
  void on_headers(bool end_stream) override {
    if (end_stream) return complete().on_upstream_headers(true);
    const bool agrees = request_->awaits_switch_ && take_agreement();
    request_->handler_.on_upstream_headers(false);
    if (agrees && request_ != nullptr) request_->switch_protocols();
  }
  // An upgrade is agreed to with 200 (RFC 8441, section 5), a tunnel with any 2xx.
  bool take_agreement() {
    const std::string_view status = head_->value(http::HeaderId::kStatus);
    if (request_->kind_ == UpstreamRequest::Kind::kConnect) return status.starts_with('2');
    if (status != "200") return false;
    http::to_switch(*head_, http::upgrade_type(*request_->headers_));
    return true;
  }
  void on_data(Buffer& data, bool end_stream) override {
    if (!end_stream) return request_->handler_.on_upstream_data(data, false);
    complete().on_upstream_data(data, true);
  }
  void on_trailers() override { complete().on_upstream_trailers(); }
  void on_closed() override { owner_.stream_is_over(*this); }
  void on_reset(http2::ErrorCode code, bool by_peer) override {
    UpstreamRequest* request = std::exchange(request_, nullptr);
    owner_.stream_is_over(*this);
    if (request == nullptr) return;
    if (owner_.failing_) return request->finish_reset(owner_.why_, owner_.why_detail_);
    if (!by_peer) return request->finish_reset(ResetReason::kProtocolError, "");
    // Envoy 1.40 answers it with 502, too: to the peer what was sent is not HTTP.
    if (code == http2::ErrorCode::kProtocolError) return request->finish_reset(ResetReason::kProtocolError, "");
    if (code != http2::ErrorCode::kRefusedStream) return request->finish_reset(ResetReason::kRemoteReset, "");
    // The peer has done nothing with it (RFC 9113, section 8.7), so that it can be sent once more.
    if (!request->may_replay()) return request->finish_reset(ResetReason::kRemoteRefused, "");
    request->stream_ = nullptr;
    request->replayed_ = true;
    owner_.pool_.replay(*request);
  }
  void on_above_write_watermark() override { set_above(true); }
  void on_below_write_watermark() override { set_above(false); }

  void set_above(bool above) {
    above_ = above;
    if (request_ != nullptr) request_->update_watermark();
  }
  // The response is whole. The request is free before its handler is told, and so is the stream if the peer has
  // answered before the request was whole: nobody wants the rest.
  UpstreamHandler& complete() {
    UpstreamRequest& request = *std::exchange(request_, nullptr);
    const bool whole = request.request_complete_;
    request.detach();
    if (!whole) end(http2::ErrorCode::kCancel);
    return request.handler_;
  }
  void end(http2::ErrorCode code) {
    owner_.session_->reset(*this, code);
    owner_.stream_is_over(*this);
  }

  Http2Connection& owner_;
  UpstreamRequest* request_;
  http::HeaderMap* head_ = nullptr;  // the response's
  bool above_ = false;
};

Http2Connection::Http2Connection(ConnectionPool& pool, net::EventLoop& loop)
    : pool_(pool),
      loop_(loop),
      idle_timer_(loop,
                  [this] {
                    pool_.cluster().stats.cx_idle_timeout.add();
                    retire(false);
                  }),
      ping_timer_(loop, [this] { keep_alive(); }),
      flush_task_(loop, net::DeferredTask::When::kAfterEvents, [this] { flush(); }),
      held_task_(loop, net::DeferredTask::When::kNextTurn, [this] {
        session_->deliver_held();
        flush_task_.schedule();
      }) {
  connection_ = connect_to(loop, pool.cluster(), pool.host(), *this);
  connection_->set_write_watermark(pool.cluster().config.per_connection_buffer_limit_bytes);
}

Http2Connection::~Http2Connection() {
  if (state_ != State::kClosed) connection_->close(net::Connection::Close::kNow);
}

std::unique_ptr<ClientConnection> make_http2_connection(ConnectionPool& pool, net::EventLoop& loop) {
  return std::make_unique<Http2Connection>(pool, loop);
}

// --- requests ---

bool Http2Connection::takes_requests() const {
  const uint32_t max_requests = pool_.cluster().config.max_requests_per_connection;
  return state_ == State::kOpen && !goaway_ && (max_requests == 0 || requests_ < max_requests);
}

uint32_t Http2Connection::capacity() const {
  if (!takes_requests()) return 0;
  const uint32_t max_requests = pool_.cluster().config.max_requests_per_connection;
  const uint32_t left = session_->streams_left();
  return max_requests == 0 ? left : std::min(left, max_requests - static_cast<uint32_t>(requests_));
}

void Http2Connection::begin(UpstreamRequest& request) {
  idle_timer_.disarm();
  ++requests_;
  if (requests_ == pool_.cluster().config.max_requests_per_connection) pool_.cluster().stats.cx_max_requests.add();
  streams_.push_back(std::make_unique<RequestStream>(*this, request, streams_.size()));
  RequestStream& stream = *streams_.back();
  request.stream_ = &stream;
  flush_task_.schedule();
  // Here, and not only where the router takes the request: guests edit it while it waits for the connection.
  const std::string fault = request_fault(*request.headers_);
  if (fault.empty()) request.handler_.on_upstream_connection(*connection_);
  if (!stream.has_request()) return;  // cancelled in that call
  if (fault.empty() && submit(stream, request)) return request.send_queued();
  stream.abandon();
  request.pool_ = &pool_;
  stream_is_over(stream);
  request.finish_reset(fault.empty() ? ResetReason::kConnectionTermination : ResetReason::kUnsendable, fault);
}

bool Http2Connection::submit(RequestStream& stream, const UpstreamRequest& request) {
  http::HeaderMap& headers = *request.headers_;
  if (request.kind_ == UpstreamRequest::Kind::kMessage) [[likely]] {
    const bool end = request.request_complete_ && !request.had_body_;
    give_scheme(headers);
    // As by HTTP/1 (host/hazards.h): a length without a body would be a reset.
    if (end && headers.has(http::HeaderId::kContentLength)) headers.set(http::HeaderId::kContentLength, "0");
    return session_->submit_request(stream, headers, end);
  }
  http::HeaderMap sent = headers;  // which logs show as they are
  if (request.kind_ == UpstreamRequest::Kind::kUpgrade) {
    give_scheme(sent);
    http::to_extended_connect(sent);
  } else {
    sent.remove(http::HeaderId::kScheme);  // RFC 9113, section 8.5
  }
  return session_->submit_request(stream, sent, false);
}

// Nothing calls the stream any longer, and no request is on it.
void Http2Connection::stream_is_over(RequestStream& stream) {
  const size_t place = stream.place;
  auto owned = std::move(streams_[place]);
  streams_[place] = std::move(streams_.back());
  streams_.pop_back();
  if (place < streams_.size()) streams_[place]->place = place;
  loop_.delete_later(std::move(owned));
  if (state_ != State::kOpen || failing_) return;
  if (streams_.empty()) become_idle();
  flush_task_.schedule();
  pool_.on_free(*this);
}

void Http2Connection::become_idle() {
  const auto timeout = pool_.cluster().config.idle_timeout;
  if (timeout.count() > 0) idle_timer_.arm(timeout);
}

// --- the connection ---

void Http2Connection::on_connected() {
  session_ = http2::Session::create(http2::Session::Kind::kClient, settings_of(pool_.cluster().config), *this);
  if (!session_) {
    mark_closed(net::Connection::Close::kNow);
    return pool_.on_connect_failed(*this, ResetReason::kConnectFailure, "out of memory");
  }
  state_ = State::kOpen;
  connection_->resume_reading();
  become_idle();
  const auto interval = pool_.cluster().config.http2->keepalive_interval;
  if (interval.count() > 0) ping_timer_.arm(interval);
  flush_task_.schedule();
  pool_.on_connected(*this);
}

void Http2Connection::flush() {
  if (state_ != State::kOpen) return;
  while (!above_watermark_ && session_->wants_to_write()) {
    session_->write(out_, net::Connection::kFlushAt);
    if (out_.empty()) break;
    connection_->write(out_);
  }
  if (state_ != State::kOpen) return;
  if (const std::string failure = session_->failure(); !failure.empty())
    return fail(ResetReason::kProtocolError, failure, false);
  if (streams_.empty() && !takes_requests()) retire(goaway_);
}

void Http2Connection::on_below_write_watermark() {
  above_watermark_ = false;
  flush_task_.schedule();
}

void Http2Connection::on_data(Buffer& data, bool end) {
  if (state_ != State::kOpen) return;
  session_->receive(data);
  if (state_ != State::kOpen) return;
  if (!end) return flush_task_.schedule();
  flush();  // which finds out whether what came before the end was HTTP/2
  if (state_ != State::kOpen) return;
  streams_.empty() ? retire(true) : fail(ResetReason::kConnectionTermination, "", true);
}

void Http2Connection::on_closed(net::CloseReason reason, std::string_view detail) {
  if (state_ == State::kConnecting) {
    mark_closed(net::Connection::Close::kNow);
    const bool late = reason == net::CloseReason::kConnectTimeout;
    return pool_.on_connect_failed(*this, late ? ResetReason::kConnectTimeout : ResetReason::kConnectFailure, detail);
  }
  if (state_ == State::kOpen) fail(ResetReason::kConnectionTermination, detail, true);
}

void Http2Connection::on_goaway(http2::ErrorCode) {
  goaway_ = true;
  flush_task_.schedule();
  pool_.on_capacity();
}

void Http2Connection::on_settings() {
  pool_.on_capacity();
}

void Http2Connection::on_ping_answer() {
  ping_is_out_ = false;
  const auto interval = pool_.cluster().config.http2->keepalive_interval;
  if (interval.count() > 0) ping_timer_.arm(interval);
}

void Http2Connection::keep_alive() {
  if (ping_is_out_) return fail(ResetReason::kConnectionTermination, "the peer does not answer PING", false);
  ping_is_out_ = true;
  session_->ping();
  ping_timer_.arm(pool_.cluster().config.http2->keepalive_timeout);
  flush_task_.schedule();
}

// --- the end ---

void Http2Connection::mark_closed(net::Connection::Close how) {
  state_ = State::kClosed;
  idle_timer_.disarm();
  ping_timer_.disarm();
  flush_task_.cancel();
  held_task_.cancel();
  connection_->close(how);
}

void Http2Connection::close() {
  mark_closed(net::Connection::Close::kNow);
}

void Http2Connection::abandon() {
  if (state_ == State::kClosed) return;
  for (const auto& stream : streams_) stream->abandon();
  mark_closed(net::Connection::Close::kNow);
}

void Http2Connection::retire(bool by_peer) {
  if (state_ == State::kOpen && !goaway_) {
    session_->shut_down();
    session_->write(out_, net::Connection::kFlushAt);
    connection_->write(out_);
  }
  mark_closed(net::Connection::Close::kAfterFlush);
  pool_.on_gone(*this, by_peer);
}

void Http2Connection::fail(ResetReason reason, std::string_view detail, bool by_peer) {
  if (reason == ResetReason::kProtocolError) pool_.cluster().stats.cx_protocol_error.add();
  mark_closed(net::Connection::Close::kAfterFlush);
  failing_ = true;
  why_ = reason;
  why_detail_ = detail;
  pool_.on_gone(*this, by_peer);
  session_->close_all(http2::ErrorCode::kInternalError, by_peer);
  why_detail_ = {};
}

}  // namespace inlay::upstream
