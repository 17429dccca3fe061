// SPDX-License-Identifier: Apache-2.0
#include "proxy/downstream/http2_exchange.h"

#include <string>
#include <utility>

#include "http/http1_grammar.h"
#include "http/upgrade.h"

namespace inlay::proxy::downstream {
namespace {

using http::HeaderId;
using http2::ErrorCode;

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

}  // namespace

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
  const bool upgrade = headers.value(HeaderId::kMethod) == "CONNECT";
  if (http::is_extended_connect(headers)) http::to_upgrade(headers);
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
  if (upgrade) [[unlikely]]
    chain.info().upgrade = Upgrade::kAsked;
  chain.decode_headers(end_stream);
  flush();
}

void Http2Connection::Exchange::on_upgrade(bool accepted) {
  upgrading_ = accepted;
  manager_.stats.count_upgrade(accepted);
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
  info.response_code = response_status(headers);
  manager_.rules.prepare_response(headers, chain.request_headers(), manager_.loop.http_date(), HttpVersion::k2);
  if (upgrading_ && info.response_code == 101) [[unlikely]] {
    http::to_http2_switch(headers);
    stream_->request_complete();  // request_timeout is about requests
  }
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
  if (std::exchange(upgrading_, false)) manager_.stats.cx_upgrades_active.sub();
  stream->finish(manager_, owner_.state_);
  manager_.recycle_stream(std::move(stream));
  // A request that was paused may still send; nobody wants it.
  if (owner_.session_->resume(*this)) owner_.held_task_.schedule();
  leave_if_over();
  unsent_ = unsent();
  if (open() && !owner_.closed_ && flush_timeout_.count() > 0) flush_timer_.arm(flush_timeout_);
}

void Http2Connection::Exchange::on_flush_timeout() {
  if (const size_t before = std::exchange(unsent_, unsent()); unsent_ < before) return flush_timer_.arm(flush_timeout_);
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

}  // namespace inlay::proxy::downstream
