// SPDX-License-Identifier: Apache-2.0
#include "proxy/downstream/http2_connection.h"

#include <charconv>
#include <new>
#include <string>
#include <utility>

#include "http/http1_grammar.h"
#include "http/status_reason.h"

namespace inlay::proxy::downstream {
namespace {

using http::HeaderId;
using http2::ErrorCode;

constexpr std::string_view kNoMessage = "http2.violation.of.messaging.rule";  // Envoy's details

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
  return out;
}

// A client may send its cookies as several fields (RFC 9113, section 8.2.3); all others expect one.
void join_cookies(HeaderMap& headers) {
  if (headers.count("cookie") < 2) return;
  std::string joined;
  for (const auto& field : headers) {
    if (field.name == "cookie") joined.append(joined.empty() ? "" : "; ").append(field.value);
  }
  headers.set("cookie", joined);
}

// A request names its host once, as :authority (RFC 9113, section 8.3.1). False: it does not.
bool settle_authority(HeaderMap& headers) {
  if (!headers.has(HeaderId::kAuthority)) {
    if (headers.count("host") != 1) return false;
    const std::string host(headers.value(HeaderId::kHost));
    headers.add(HeaderId::kAuthority, ":authority", host);
  }
  headers.remove(HeaderId::kHost);
  return http::is_authority(headers.value(HeaderId::kAuthority));
}

uint32_t status_of(const HeaderMap& headers) {
  const std::string_view text = headers.value(HeaderId::kStatus);
  uint32_t status = 500;
  if (http::is_status(text)) std::from_chars(text.data(), text.data() + text.size(), status);
  return status;
}

}  // namespace

// A request on the connection and its response. The codec's stream ends after the chain does, when the last byte of the
// response has left, or before it.
class Http2Connection::Exchange final : public http2::Stream, public StreamOwner {
 public:
  Exchange(Http2Connection& owner, size_t at)
      : place(at),
        owner_(owner),
        manager_(owner.manager_),
        stream_(manager_.acquire_stream()),
        flush_timer_(manager_.loop, [this] { on_flush_timeout(); }) {
    stream_->begin(manager_, *this, *owner.connection_, owner.state_);
    stream_->chain.info().protocol = "HTTP/2";
    started_ = manager_.loop.now();
  }

  int64_t started() const { return started_; }
  ServerStream* stream() { return stream_.get(); }
  // The connection ends it: with no call of the codec to come.
  void end(std::string_view details, uint32_t flag) {
    if (!stream_) return;
    stream_->charge_reset(details, flag);
    stream_->chain.finish();
  }

  size_t place;  // in the owner's list

 private:
  // http2::Stream. Not the chain's own maps: a chain may end, and serve another request, while a head still comes.
  HeaderMap& headers_storage() override { return arriving_; }
  HeaderMap& trailers_storage() override { return arriving_; }
  void on_headers(bool end_stream) override;
  void on_data(Buffer& data, bool end_stream) override;
  void on_trailers() override;
  void on_closed() override { leave_if_over(); }
  void on_reset(ErrorCode code, bool by_peer) override;
  void on_above_write_watermark() override {
    if (stream_) stream_->chain.on_above_write_watermark();
  }
  void on_below_write_watermark() override {
    if (!stream_) return;
    stream_->touch();
    stream_->chain.on_below_write_watermark();
  }

  // StreamOwner
  bool request_is_complete() const override { return request_complete_; }
  void encode_informational(HeaderMap& headers) override;
  void encode_headers(HeaderMap& headers, bool end_stream) override;
  void encode_data(Buffer& data, bool end_stream) override;
  void encode_trailers(HeaderMap& trailers) override;
  void pause_request(bool paused) override;
  void on_reset() override;
  void on_finished() override;

  void refuse_head();
  // The client has not taken the rest of its answer for stream_idle_timeout.
  void on_flush_timeout();
  void request_complete();
  void response_complete();
  // Both the codec and the chain are done with it.
  void leave_if_over();
  bool is_head() { return stream_->chain.request_headers().value(HeaderId::kMethod) == "HEAD"; }
  void flush() { owner_.flush_task_.schedule(); }

  Http2Connection& owner_;
  ConnectionManager::Impl& manager_;
  std::unique_ptr<ServerStream> stream_;  // null once the chain has ended
  net::Timer flush_timer_;
  size_t unsent_ = 0;  // when it was armed
  HeaderMap arriving_;
  int64_t started_ = 0;
  bool head_came_ = false;
  bool request_complete_ = false;
  bool response_started_ = false;
  bool response_ended_ = false;
  bool without_body_ = false;  // an answer to HEAD
  bool over_ = false;
};

// --- the request ---

void Http2Connection::Exchange::on_headers(bool end_stream) {
  head_came_ = true;
  owner_.in_head_ = nullptr;
  owner_.arm_timer();
  if (!stream_ || stream_->chain.finished()) return;
  FilterChain& chain = stream_->chain;
  HeaderMap& headers = chain.request_headers();
  headers.swap(arriving_);
  chain.info().request_headers_bytes = headers.byte_size();
  if (end_stream) request_complete();
  join_cookies(headers);
  if (headers.value(HeaderId::kMethod) != "CONNECT" && !settle_authority(headers)) return refuse_head();
  if (auto refusal = manager_.rules.prepare_request(headers, owner_.connection_->remote_address(), HttpVersion::k2)) {
    manager_.stats.charge_refusal(*refusal);
    return chain.send_local_reply(std::move(*refusal));
  }
  if (const std::string_view client = manager_.rules.forwarded_client(); !client.empty()) {
    chain.info().forwarded_remote.host = client;
    chain.info().downstream_remote = &chain.info().forwarded_remote;
  }
  if (!manager_.http.proxy_100_continue && headers.value(HeaderId::kExpect) == "100-continue") {
    headers.remove(HeaderId::kExpect);
    HeaderMap go_on;
    go_on.add(HeaderId::kStatus, ":status", "100");
    if (!end_stream) owner_.session_->submit_informational(*this, go_on);
  }
  chain.decode_headers(end_stream);
  flush();
}

void Http2Connection::Exchange::refuse_head() {
  owner_.session_->reset(*this, ErrorCode::kProtocolError);
  head_came_ = false;
  on_reset(ErrorCode::kProtocolError, false);
}

void Http2Connection::Exchange::on_data(Buffer& data, bool end_stream) {
  flush();  // the window that the client gets back
  if (end_stream && stream_) request_complete();
  if (!stream_ || stream_->chain.finished()) return data.clear();
  stream_->chain.info().bytes_received += data.size();
  stream_->touch();
  stream_->chain.decode_data(data, end_stream);
}

void Http2Connection::Exchange::on_trailers() {
  if (!stream_) return;
  request_complete();
  if (stream_->chain.finished()) return;
  stream_->chain.request_trailers().swap(arriving_);
  stream_->chain.decode_trailers();
}

void Http2Connection::Exchange::request_complete() {
  request_complete_ = true;
  stream_->request_complete();
}

void Http2Connection::Exchange::pause_request(bool paused) {
  if (paused) return owner_.session_->pause(*this);
  if (owner_.session_->resume(*this)) owner_.held_task_.schedule();
  flush();
}

void Http2Connection::Exchange::on_reset(ErrorCode code, bool by_peer) {
  // As Envoy: a head that is none ends the connection, unless the configuration says otherwise.
  const bool no_head = !by_peer && code == ErrorCode::kProtocolError && !head_came_;
  end(by_peer ? "http2.remote_reset" : kNoMessage,
      by_peer ? kDownstreamConnectionTermination : kDownstreamProtocolError);
  const bool too_many = by_peer && owner_.resets_too_much(*this);
  leave_if_over();
  if (no_head && !manager_.http.http2.stream_error_on_invalid_message) return owner_.refuse_message();
  if (!too_many) return;
  manager_.stats.rq_too_many_premature_resets.add();
  owner_.disconnect("too_many_premature_resets", kDownstreamConnectionTermination);
}

// --- the response ---

// As Envoy: none unless asked for.
void Http2Connection::Exchange::encode_informational(HeaderMap& headers) {
  if (!manager_.http.proxy_100_continue || response_started_ || !open()) return;
  const std::string_view status = headers.value(HeaderId::kStatus);
  if (status != "100" && status != "102" && status != "103") return;
  manager_.rules.prepare_informational(headers);
  owner_.session_->submit_informational(*this, headers);
  flush();
}

void Http2Connection::Exchange::encode_headers(HeaderMap& headers, bool end_stream) {
  if (!stream_ || !open()) return;
  response_started_ = true;
  stream_->touch();
  FilterChain& chain = stream_->chain;
  StreamInfo& info = chain.info();
  info.response_code = status_of(headers);
  manager_.rules.prepare_response(headers, chain.request_headers(), manager_.loop.http_date(), HttpVersion::k2);
  info.response_headers_bytes = headers.byte_size();
  without_body_ = is_head() && !end_stream;
  owner_.session_->submit_response(*this, headers, end_stream || without_body_);
  flush();
  if (end_stream) response_complete();
}

void Http2Connection::Exchange::encode_data(Buffer& data, bool end_stream) {
  if (!stream_ || !open()) return data.clear();
  stream_->touch();
  if (without_body_) data.clear();
  stream_->chain.info().bytes_sent += data.size();
  owner_.session_->send_data(*this, data, end_stream);
  flush();
  if (end_stream) response_complete();
}

void Http2Connection::Exchange::encode_trailers(HeaderMap& trailers) {
  if (!stream_ || !open()) return;
  owner_.session_->send_trailers(*this, trailers);
  flush();
  response_complete();
}

// What the codec has of it is still sent; then, if the request has not ended, the stream is reset.
void Http2Connection::Exchange::response_complete() {
  response_ended_ = true;
  if (!stream_) return;
  if (!request_complete_) manager_.stats.rq_response_before_rq_complete.add();
  stream_->chain.finish();
}

void Http2Connection::Exchange::on_reset() {
  if (stream_) stream_->charge_reset(stream_->chain.info().response_code_details, 0);  // the flags are there
  // What the origin sent before it died is the client's.
  if (response_started_)
    owner_.session_->break_off(*this);
  else
    owner_.session_->reset(*this, ErrorCode::kInternalError);
  flush();
  if (stream_) stream_->chain.finish();
}

void Http2Connection::Exchange::on_finished() {
  auto stream = std::move(stream_);
  stream->finish(manager_, owner_.state_);
  manager_.recycle_stream(std::move(stream));
  // A request that was paused may still send; nobody wants it.
  if (owner_.session_->resume(*this)) owner_.held_task_.schedule();
  leave_if_over();
  unsent_ = unsent();
  if (open() && !owner_.closed_ && manager_.http.stream_idle_timeout.count() > 0)
    flush_timer_.arm(manager_.http.stream_idle_timeout);
}

void Http2Connection::Exchange::on_flush_timeout() {
  if (const size_t before = std::exchange(unsent_, unsent()); unsent_ < before)
    return flush_timer_.arm(manager_.http.stream_idle_timeout);
  manager_.stats.rq_tx_reset.add();
  owner_.session_->reset(*this, ErrorCode::kInternalError);
  leave_if_over();
}

void Http2Connection::Exchange::leave_if_over() {
  if (over_ || open() || stream_ || owner_.closed_) return;
  over_ = true;
  flush_timer_.disarm();
  owner_.exchange_is_over(*this);
}

// --- the connection ---

Http2Connection::Http2Connection(ConnectionManager::Impl& manager, std::unique_ptr<net::Connection> connection,
                                 size_t index, std::vector<FilterState>* below)
    : ServerConnection(index),
      manager_(manager),
      connection_(std::move(connection)),
      session_(http2::Session::create(http2::Session::Kind::kServer, settings_of(manager), *this)),
      timer_(manager.loop, [this] { on_timeout(); }),
      ping_timer_(manager.loop, [this] { ping(); }),
      drain_timer_(manager.loop, [this] { finish_drain(); }),
      flush_task_(manager.loop, net::DeferredTask::When::kAfterEvent, [this] { flush(); }),
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
  if (manager_.http.max_connection_duration.count() == 0) return;
  duration_timer_ = std::make_unique<net::Timer>(manager_.loop, [this] {
    manager_.stats.cx_max_duration_reached.add();
    drain();
  });
  duration_timer_->arm(manager_.http.max_connection_duration);
}

Http2Connection::~Http2Connection() = default;

std::unique_ptr<ServerConnection> make_http2_connection(ConnectionManager::Impl& manager,
                                                        std::unique_ptr<net::Connection> connection, size_t index,
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
  duration_timer_.reset();
  flush_task_.cancel();
  held_task_.cancel();
  connection_->close(how);
  manager_.release(*this);
}

}  // namespace inlay::proxy::downstream
