// SPDX-License-Identifier: Apache-2.0
#include "upstream/request.h"

#include "http/header_fault.h"
#include "upstream/client_connection.h"
#include "upstream/connection_pool.h"

namespace inlay::upstream {

std::string_view to_string(ResetReason reason) {
  switch (reason) {
    case ResetReason::kConnectFailure:
      return "remote connection failure";
    case ResetReason::kConnectTimeout:
      return "connection timeout";
    case ResetReason::kConnectionTermination:
      return "connection termination";
    case ResetReason::kLocalReset:
      return "local reset";
    case ResetReason::kRemoteReset:
      return "remote reset";
    case ResetReason::kRemoteRefused:
      return "remote refused stream reset";
    case ResetReason::kOverflow:
      return "overflow";
    case ResetReason::kProtocolError:
      return "protocol error";
    case ResetReason::kUnsendable:
      return "unsendable";
  }
  return "";
}

std::string request_fault(const http::HeaderMap& headers) {
  if (!headers.has(http::HeaderId::kMethod)) [[unlikely]]
    return "missing required header: :method";
  const bool has_path = headers.has(http::HeaderId::kPath);
  if (headers.value(http::HeaderId::kMethod) == "CONNECT") [[unlikely]] {
    if (!headers.has(http::HeaderId::kAuthority)) return "missing required header: :authority";
    // As Envoy: with a path it would be HTTP/2's CONNECT to another protocol.
    if (has_path && !headers.has(http::HeaderId::kProtocol)) return "missing required header: :protocol";
  } else if (!has_path) [[unlikely]] {
    return "missing required header: :path";
  }
  if (headers.spoiled()) [[unlikely]]
    return http::header_fault(headers);
  return {};
}

UpstreamRequest::Started UpstreamRequest::start(ConnectionPool& pool, http::HeaderMap& headers, bool end_stream,
                                                Kind kind) {
  cancel();
  headers_ = &headers;
  queued_.clear();
  queued_trailers_.clear();
  request_complete_ = end_stream;
  had_body_ = !end_stream;
  has_trailers_ = false;
  replayed_ = false;
  above_ = false;
  response_paused_ = false;
  kind_ = kind;
  awaits_switch_ = kind != Kind::kMessage;
  const std::string_view method = headers.value(http::HeaderId::kMethod);
  safe_method_ = method == "GET" || method == "HEAD" || method == "OPTIONS";
  return pool.acquire(*this) ? Started::kYes : Started::kOverflow;
}

void UpstreamRequest::send_data(Buffer& data, bool end_stream) {
  if (pool_ == nullptr) {  // answered before the body was whole: the rest goes nowhere
    data.clear();
    return;
  }
  request_complete_ = request_complete_ || end_stream;
  if (stream_ != nullptr && !awaits_switch_) {
    stream_->send_data(data, end_stream);
    return;
  }
  queued_.move_from(data);
  update_watermark();
}

void UpstreamRequest::send_trailers(const http::HeaderMap& trailers) {
  if (pool_ == nullptr) return;
  request_complete_ = true;
  if (stream_ != nullptr && !awaits_switch_) {
    stream_->send_trailers(trailers);
    return;
  }
  has_trailers_ = true;
  queued_trailers_ = trailers;
}

void UpstreamRequest::send_queued() {
  if (response_paused_) stream_->pause_response();
  if (awaits_switch_) return update_watermark();
  if (had_body_) stream_->send_data(queued_, request_complete_ && !has_trailers_);
  if (stream_ != nullptr && has_trailers_) stream_->send_trailers(queued_trailers_);
  if (stream_ != nullptr) update_watermark();
}

void UpstreamRequest::switch_protocols() {
  awaits_switch_ = false;
  send_queued();
}

void UpstreamRequest::update_watermark() {
  const bool above = stream_ != nullptr && !awaits_switch_
                         ? stream_->above_watermark()
                         : queued_.size() > pool_->cluster().config.per_connection_buffer_limit_bytes;
  if (above == above_) return;
  above_ = above;
  if (above) {
    handler_.on_upstream_above_watermark();
  } else {
    handler_.on_upstream_below_watermark();
  }
}

void UpstreamRequest::pause_response() {
  response_paused_ = true;
  if (stream_ != nullptr) stream_->pause_response();
}

void UpstreamRequest::resume_response() {
  response_paused_ = false;
  if (stream_ != nullptr) stream_->resume_response();
}

void UpstreamRequest::detach() {
  pool_->forget(*this);
  pool_ = nullptr;
  stream_ = nullptr;
}

void UpstreamRequest::finish_reset(ResetReason reason, std::string_view detail) {
  upstream::ClusterStats& stats = pool_->cluster().stats;
  (reason == ResetReason::kUnsendable ? stats.rq_tx_reset : stats.rq_rx_reset).add();
  detach();
  handler_.on_upstream_reset(reason, detail);
}

void UpstreamRequest::cancel() {
  if (pool_ == nullptr) return;
  ConnectionPool& pool = *pool_;
  ClientStream* stream = stream_;
  pool.cluster().stats.rq_cancelled.add();
  if (stream != nullptr) pool.cluster().stats.rq_tx_reset.add();
  detach();
  if (stream != nullptr) stream->cancel();
}

}  // namespace inlay::upstream
