// SPDX-License-Identifier: Apache-2.0
#include "proxy/downstream/http1_connection.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "http/http1_grammar.h"
#include "http/status_reason.h"
#include "http/upgrade.h"

namespace inlay::proxy::downstream {
namespace {

using http::HeaderId;

// Of answers that the client has not taken, before its next request is begun.
constexpr size_t kMostUnreadAnswers = 64 * 1024;

}  // namespace

// --- life ---

Http1Connection::Http1Connection(ConnectionManager::Impl& manager, std::unique_ptr<net::Connection> connection,
                                 size_t index, std::vector<FilterState>* below)
    : ServerConnection(manager, index),
      connection_(std::move(connection)),
      parser_(http::Http1Parser::create(http::Http1Parser::Kind::kRequest, manager.limits, *this)),
      timer_(manager.loop, [this] { on_connection_timeout(); }),
      state_{{}, below} {
  connection_->set_handler(this);
  configure_socket(manager, *connection_);
  connection_->resume_reading();
  arm_idle();
}

Http1Connection::~Http1Connection() = default;

std::unique_ptr<ServerConnection> make_http1_connection(ConnectionManager::Impl& manager,
                                                        std::unique_ptr<net::Connection>&& connection, size_t index,
                                                        std::vector<FilterState>* below) {
  return std::make_unique<Http1Connection>(manager, std::move(connection), index, below);
}

size_t Http1Connection::write_limit() const {
  return write_limit_of(manager_.options.listener);
}

void Http1Connection::arm_idle() {
  if (manager_.http.idle_timeout.count() > 0) {
    timer_.arm(manager_.http.idle_timeout);
  } else {
    timer_.disarm();
  }
}

void Http1Connection::drain() {
  close_after_response_ = true;
  if (closed_ || (stream_ && headers_complete_)) return;
  manager_.stats.cx_drain_close.add();
  if (stream_) return disconnect("drained_before_request", kLocalReset);  // part of a head is no request under way
  close(net::Connection::Close::kAfterFlush);
}

void Http1Connection::retire() {
  close_after_response_ = true;
  manager_.stats.cx_drain_close.add();
}

void Http1Connection::abort(std::string_view details) {
  disconnect(details, kLocalReset);
}

void Http1Connection::disconnect(std::string_view details, uint32_t flag) {
  if (stream_) stream_->charge_reset(details, flag);
  close(net::Connection::Close::kAfterFlush);  // what the origin sent before it died is the client's
}

void Http1Connection::close(net::Connection::Close how) {
  if (closed_) return;
  closed_ = true;
  timer_.disarm();
  end_duration();
  parser_->set_paused(true);
  connection_->close(how);
  if (stream_) stream_->chain.finish();
  manager_.release(*this);
}

void Http1Connection::on_connection_timeout() {
  if (!stream_) {
    manager_.stats.cx_idle_timeout.add();
    return close(net::Connection::Close::kAfterFlush);
  }
  manager_.stats.rq_header_timeout.add();
  stream_->chain.send_local_reply(local_reply(408, "", "request_header_timeout"));
}

// --- the socket ---

bool Http1Connection::is_http2(const Buffer& data) const {
  using Codec = config::HttpConnectionManager::CodecType;
  if (manager_.http.codec_type != Codec::kAuto) return false;
  // As Envoy: what TLS has agreed on counts, else the first bytes, of which the beginning of the preface is enough.
  constexpr std::string_view kPreface = "PRI * HTTP/2";
  const net::TlsInfo* tls = connection_->tls();
  return tls != nullptr && !tls->alpn.empty() ? tls->alpn == "h2" : data.front().starts_with(kPreface);
}

void Http1Connection::on_data(Buffer& data, bool end) {
  if (undecided_ && !data.empty()) [[unlikely]] {
    undecided_ = false;
    if (is_http2(data)) {
      closed_ = true;
      timer_.disarm();
      end_duration();
      return manager_.give_to_http2(*this, std::move(connection_), state_.below);
    }
    manager_.stats.cx_http1_total.add();
  }
  parse_all(data);
  if (closed_) return data.clear();
  if (end && (stream_ || data.empty())) on_client_end();  // else the rest comes again when reading is resumed
}

void Http1Connection::parse_all(Buffer& data) {
  while (!closed_ && !data.empty()) {
    if (parser_->message_complete()) {
      // One at a time, and none before the client has taken what it asked for: the next request stays where it is.
      if (!stream_ && connection_->unsent() > kMostUnreadAnswers) wait_for_reader();
      if (stream_ || above_watermark_) {
        waiting_ = true;
        return connection_->pause_reading();
      }
      parser_->next_message();
    }
    auto outcome = parser_->parse(data, false);
    if (closed_) return;
    if (!outcome) return on_codec_error(std::move(outcome.error()));
    if (!parser_->message_complete()) {
      flush_body();
      if (!data.empty()) return;  // paused
    }
  }
}

// Between two requests the write buffer's limit, which is for one answer, is lower: on_below_write_watermark() comes
// when half of this is left, and raises it again.
void Http1Connection::wait_for_reader() {
  connection_->set_write_watermark(std::min(write_limit(), kMostUnreadAnswers));
  if (!above_watermark_) connection_->set_write_watermark(write_limit());
}

// FIN, as in Envoy: the client has gone, and nobody waits for the answer that is under way. Those that are complete are
// still sent.
void Http1Connection::on_client_end() {
  if (!stream_) return close(net::Connection::Close::kAfterFlush);
  disconnect("downstream_remote_disconnect", kDownstreamConnectionTermination);
}

// With bytes before it that are not read, since one request is served at a time.
void Http1Connection::on_peer_closing() {
  if (stream_) on_client_end();
}

void Http1Connection::on_closed(net::CloseReason reason, std::string_view detail) {
  if (reason == net::CloseReason::kLocal) {
    return disconnect("downstream_local_disconnect(" + std::string(detail) + ")", kDownstreamConnectionTermination);
  }
  manager_.stats.cx_destroy_remote.add();
  disconnect("downstream_remote_disconnect", kDownstreamConnectionTermination);
}

void Http1Connection::on_above_write_watermark() {
  above_watermark_ = true;
  if (stream_) stream_->chain.on_above_write_watermark();
}

void Http1Connection::on_below_write_watermark() {
  above_watermark_ = false;
  if (!stream_) {
    connection_->set_write_watermark(write_limit());
    if (std::exchange(waiting_, false)) connection_->resume_reading();
    return;
  }
  touch();
  stream_->chain.on_below_write_watermark();
}

void Http1Connection::on_codec_error(http::ParseError error) {
  manager_.stats.cx_protocol_error.add();
  if (error.status == 431) manager_.stats.rq_too_large.add();
  close_after_response_ = true;
  connection_->pause_reading();  // nothing after this has a meaning
  if (!stream_) headers_storage();
  stream_->chain.info().response_flags |= kDownstreamProtocolError;
  body_.clear();
  if (response_started_) return disconnect(error.details, kDownstreamProtocolError);
  const std::string status = std::to_string(error.status);
  stream_->chain.send_local_reply(
      local_reply(error.status, std::string(http::status_reason(status)), std::move(error.details)));
}

// --- the request ---

HeaderMap& Http1Connection::headers_storage() {
  stream_ = manager_.acquire_stream();
  headers_complete_ = request_complete_ = has_trailers_ = response_started_ = informed_ = upgraded_ = false;
  framing_ = http::BodyFraming::kNone;
  ++requests_;
  manager_.stats.rq_http1_total.add();
  stream_->begin(manager_, *this, *connection_, state_);
  const auto& http = manager_.http;
  if (http.request_headers_timeout.count() > 0) {
    timer_.arm(http.request_headers_timeout);
  } else {
    timer_.disarm();
  }
  return stream_->chain.request_headers();
}

HeaderMap& Http1Connection::trailers_storage() {
  return stream_->chain.request_trailers();
}

void Http1Connection::on_headers(bool end_stream) {
  headers_complete_ = true;
  timer_.disarm();
  FilterChain& chain = stream_->chain;
  if (chain.finished()) return;
  HeaderMap& headers = chain.request_headers();
  chain.info().request_headers_bytes = headers.byte_size();
  if (parser_->minor_version() == 0) chain.info().protocol = "HTTP/1.0";
  if (end_stream) request_complete();
  if (!parser_->keep_alive()) close_after_response_ = true;
  if (auto refusal = manager_.rules.prepare_request(headers, connection_->remote_address(), version())) {
    manager_.stats.charge_refusal(*refusal);
    if (refusal->status >= 400) close_after_response_ = true;
    return chain.send_local_reply(std::move(*refusal));
  }
  if (const std::string_view client = manager_.rules.forwarded_client(); !client.empty()) {
    chain.info().forwarded_remote.host = client;
    chain.info().downstream_remote = &chain.info().forwarded_remote;
  }
  if (parser_->expects_100_continue() && !manager_.http.proxy_100_continue) {
    headers.remove(HeaderId::kExpect);
    if (!end_stream) connection_->write("HTTP/1.1 100 Continue\r\n\r\n");
  }
  if (parser_->upgrades()) [[unlikely]]
    chain.info().upgrade = Upgrade::kAsked;
  chain.decode_headers(end_stream);
}

void Http1Connection::on_upgrade(bool accepted) {
  upgrading_ = accepted;
  manager_.stats.count_upgrade(accepted);
}

void Http1Connection::on_data(Buffer& data) {
  body_.move_from(data);
}

void Http1Connection::flush_body() {
  if (!stream_ || body_.empty()) return body_.clear();
  stream_->chain.info().bytes_received += body_.size();
  touch();
  stream_->chain.decode_data(body_, false);
}

void Http1Connection::on_trailers() {
  has_trailers_ = manager_.http.enable_trailers && stream_ && !stream_->chain.request_trailers().empty();
}

// As Envoy 1.40's HTTP/1 codec: a body's end is a callback of its own, without bytes, also when it came with the last
// of them.
void Http1Connection::on_message_complete() {
  if (!stream_ || request_complete_) return;
  flush_body();
  if (!stream_) return;
  request_complete();
  if (has_trailers_) return stream_->chain.decode_trailers();
  touch();
  stream_->chain.decode_data(body_, true);
}

void Http1Connection::request_complete() {
  request_complete_ = true;
  stream_->request_complete();
}

void Http1Connection::pause_request(bool paused) {
  if (closed_ || request_paused_ == paused) return;
  request_paused_ = paused;
  parser_->set_paused(paused);
  if (paused) {
    connection_->pause_reading();
  } else if (!waiting_) {
    connection_->resume_reading();
  }
}

// --- the response ---

// As Envoy: none unless asked for, then the first one of those that a client can make something of. Never to HTTP/1.0,
// which does not know them (RFC 9110 section 15.2); Envoy sends them there, too.
void Http1Connection::encode_informational(HeaderMap& headers) {
  if (!manager_.http.proxy_100_continue || parser_->minor_version() == 0) return;
  const std::string_view status = headers.value(HeaderId::kStatus);
  if (closed_ || response_started_ || informed_ || (status != "100" && status != "102" && status != "103")) return;
  informed_ = true;
  manager_.rules.prepare_informational(headers);
  http::write_response_head(headers, http::BodyFraming::kNone, false, out_);
  connection_->write(out_);
}

// A response that begins before its request has ended ends the connection, as in Envoy: the rest of the request may be
// in the way.
bool Http1Connection::must_close() const {
  const uint32_t most = manager_.http.max_requests_per_connection;
  return close_after_response_ || stream_->chain.closes_connection() || manager_.draining || !request_complete_ ||
         (most > 0 && requests_ >= most);
}

http::BodyFraming Http1Connection::choose_framing(const HeaderMap& headers, bool end_stream) {
  const uint32_t status = stream_->chain.info().response_code;
  if (upgraded_ || end_stream || status < 200 || status == 204 || status == 304 || is_head())
    return http::BodyFraming::kNone;
  const auto length = http::parse_content_length(headers.value(HeaderId::kContentLength));
  if (length && headers.count("content-length") == 1) {
    length_left_ = *length;
    return http::BodyFraming::kContentLength;
  }
  return parser_->minor_version() == 0 ? http::BodyFraming::kUntilClose : http::BodyFraming::kChunked;
}

bool Http1Connection::checks_length() const {
  return framing_ == http::BodyFraming::kContentLength && !manager_.options.lengths_as_given;
}

bool Http1Connection::is_connect() const {
  return stream_->chain.request_headers().value(HeaderId::kMethod) == "CONNECT";
}

bool Http1Connection::is_head() const {
  return stream_->chain.request_headers().value(HeaderId::kMethod) == "HEAD";
}

// A response without a body says so, behind all other fields, where its status and its request leave that open.
void Http1Connection::correct_length(HeaderMap& headers, bool end_stream) const {
  const uint32_t status = stream_->chain.info().response_code;
  if (status < 200 || status == 204) {
    headers.remove(HeaderId::kContentLength);
  } else if (end_stream && status != 304 && !is_head() && headers.value(HeaderId::kContentLength) != "0") {
    headers.set(HeaderId::kContentLength, "0");
  }
}

// The upstream has agreed to the upgrade, or there is a tunnel.
bool Http1Connection::switches(const HeaderMap& headers, bool end_stream) const {
  if (!upgrading_ || end_stream) return false;
  const std::string_view status = headers.value(HeaderId::kStatus);
  return is_connect() ? status.starts_with('2') : status == "101";
}

// `connection` has something else to say where the answer names protocols, as 101 and 426 do.
bool Http1Connection::announces_close(const HeaderMap& headers) const {
  return !upgraded_ && !(upgrading_ && http::is_upgrade(headers));
}

void Http1Connection::encode_headers(HeaderMap& headers, bool end_stream) {
  if (closed_ || !stream_) return;
  response_started_ = true;
  touch();
  FilterChain& chain = stream_->chain;
  StreamInfo& info = chain.info();
  info.response_code = response_status(headers);
  manager_.rules.prepare_response(headers, chain.request_headers(), manager_.loop.http_date(), version(), upgrading_);
  if (switches(headers, end_stream)) [[unlikely]] {
    upgraded_ = true;
    stream_->request_complete();  // request_timeout is about requests
  }
  framing_ = choose_framing(headers, end_stream);
  if (framing_ == http::BodyFraming::kUntilClose || must_close()) close_after_response_ = true;
  if (close_after_response_) {
    if (announces_close(headers)) headers.add(HeaderId::kConnection, "connection", "close");
  } else if (parser_->minor_version() == 0) {
    headers.add(HeaderId::kConnection, "connection", "keep-alive");
  }
  info.response_headers_bytes = headers.byte_size();
  correct_length(headers, end_stream);
  http::write_response_head(headers, framing_, false, out_);
  connection_->write(out_);
  if (end_stream) response_complete();
}

void Http1Connection::encode_data(Buffer& data, bool end_stream) {
  if (closed_ || !stream_) return data.clear();
  touch();
  if (framing_ == http::BodyFraming::kNone && !upgraded_) data.clear();
  if (checks_length()) {
    if (data.size() > length_left_) return stream_->chain.reset("response_longer_than_content_length");
    length_left_ -= data.size();
    if (end_stream && length_left_ > 0) {
      connection_->write(data);
      return stream_->chain.reset("response_shorter_than_content_length");
    }
  }
  stream_->chain.info().bytes_sent += data.size();
  if (framing_ == http::BodyFraming::kChunked) {
    http::write_chunk(data, out_);
    if (end_stream) http::write_last_chunk(nullptr, out_);
    connection_->write(out_);
  } else {
    connection_->write(data);  // an end by itself is an empty write, as in Envoy
  }
  if (end_stream) response_complete();
}

void Http1Connection::encode_trailers(HeaderMap& trailers) {
  if (closed_ || !stream_) return;
  if (checks_length() && length_left_ > 0) {
    return stream_->chain.reset("response_shorter_than_content_length");
  }
  if (framing_ == http::BodyFraming::kChunked) {
    http::write_last_chunk(manager_.http.enable_trailers ? &trailers : nullptr, out_);
  }
  connection_->write(out_);
  response_complete();
}

void Http1Connection::response_complete() {
  if (!stream_) return;
  if (!request_complete_) manager_.stats.rq_response_before_rq_complete.add();
  stream_->chain.finish();
}

void Http1Connection::on_reset() {
  disconnect(stream_ ? stream_->chain.info().response_code_details : "", 0);  // the flags are there
}

void Http1Connection::on_finished() {
  auto stream = std::move(stream_);
  if (std::exchange(upgrading_, false)) manager_.stats.cx_upgrades_active.sub();
  stream->finish(manager_, state_);
  const bool paused = std::exchange(request_paused_, false);
  manager_.recycle_stream(std::move(stream));
  body_.clear();
  if (closed_) return;
  if (close_after_response_ || !request_complete_) return close(net::Connection::Close::kAfterFlush);
  arm_idle();
  if (paused) parser_->set_paused(false);
  if (std::exchange(waiting_, false) || paused) connection_->resume_reading();
}

}  // namespace inlay::proxy::downstream
