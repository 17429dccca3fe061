// SPDX-License-Identifier: Apache-2.0
#include "upstream/http1_connection.h"

#include <charconv>

#include "http/http1_writer.h"
#include "upstream/connect.h"
#include "upstream/connection_pool.h"

namespace inlay::upstream {
namespace {

using http::HeaderId;

// Responses' heads are bounded like requests' are by default.
constexpr http::ParserLimits kResponseLimits{};

bool method_without_body(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "DELETE" || method == "TRACE" || method == "CONNECT";
}

bool parse_length(std::string_view text, uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::unique_ptr<ClientConnection> make_http1_connection(ConnectionPool& pool, net::EventLoop& loop) {
  return std::make_unique<Http1Connection>(pool, loop);
}

Http1Connection::Http1Connection(ConnectionPool& pool, net::EventLoop& loop)
    : pool_(pool),
      parser_(http::Http1Parser::create(http::Http1Parser::Kind::kResponse, kResponseLimits, *this)),
      idle_timer_(loop,
                  [this] {
                    pool_.cluster().stats.cx_idle_timeout.add();
                    close();
                    pool_.on_gone(*this, false);
                  }),
      resume_timer_(loop,
                    [this] {
                      if (state_ == State::kBusy && !paused_) parse(leftover_, peer_ended_);
                    }),
      written_task_(loop, net::DeferredTask::When::kAfterEvent, [] {}) {
  const config::Cluster& config = pool.cluster().config;
  connection_ = connect_to(loop, pool.cluster(), pool.host(), *this, true);
  connection_->set_write_watermark(config.per_connection_buffer_limit_bytes);
}

Http1Connection::~Http1Connection() {
  if (connection_) connection_->close(net::Connection::Close::kNow);
}

void Http1Connection::mark_closed() {
  state_ = State::kClosed;
  active_ = nullptr;
  idle_timer_.disarm();
  resume_timer_.disarm();
  written_task_.cancel();
}

void Http1Connection::close() {
  mark_closed();
  connection_->close(net::Connection::Close::kNow);
}

void Http1Connection::become_idle() {
  state_ = State::kIdle;
  const auto timeout = pool_.cluster().config.idle_timeout;
  if (timeout.count() > 0) idle_timer_.arm(timeout);
}

// --- the request's way ---

void Http1Connection::begin(UpstreamRequest& request) {
  idle_timer_.disarm();
  state_ = State::kBusy;
  active_ = &request;
  ++requests_;
  paused_ = peer_ended_ = headers_end_ = trailers_come_ = false;
  request.stream_ = this;
  // Here, and not only where the router takes the request: guests edit it while it waits for the connection.
  if (const std::string fault = request_fault(*request.headers_); !fault.empty()) [[unlikely]]
    return fail(ResetReason::kUnsendable, fault);
  request.handler_.on_upstream_connection(*connection_);
  if (active_ != &request) return;  // cancelled in that call
  parser_->set_request_method(request.headers_->value(HeaderId::kMethod));
  if (request.kind_ != UpstreamRequest::Kind::kMessage) parser_->set_upgrade_asked();
  write_head(request);
  if (!request.had_body_ || framing_ == Framing::kUpgraded) flush_out();
  request.send_queued();
  if (state_ == State::kBusy) written_task_.schedule();  // behind the connection's own task, which writes
}

void Http1Connection::write_head(UpstreamRequest& request) {
  http::HeaderMap& headers = *request.headers_;
  // A filter may have set these; the framing is ours to say, and two of them would smuggle a request.
  headers.remove(HeaderId::kTransferEncoding);
  if (request.kind_ != UpstreamRequest::Kind::kUpgrade) headers.remove(HeaderId::kConnection);
  framing_ = choose_framing(request, headers);
  constexpr http::BodyFraming kFraming[] = {http::BodyFraming::kNone, http::BodyFraming::kContentLength,
                                            http::BodyFraming::kChunked, http::BodyFraming::kNone};
  http::write_request_head(headers, kFraming[static_cast<size_t>(framing_)], out_);
}

Http1Connection::Framing Http1Connection::choose_framing(const UpstreamRequest& request, http::HeaderMap& headers) {
  body_left_ = 0;
  if (request.kind_ != UpstreamRequest::Kind::kMessage) return Framing::kUpgraded;
  const bool without_body = request.request_complete_ && !request.had_body_;
  const auto length = headers.get(HeaderId::kContentLength);
  if (without_body) {
    if (!method_without_body(headers.value(HeaderId::kMethod))) {
      if (length != "0") headers.set(HeaderId::kContentLength, "0");
    } else if (length && length != "0") {
      headers.remove(HeaderId::kContentLength);
    }
    return Framing::kNone;
  }
  if (length && parse_length(*length, body_left_)) return Framing::kContentLength;
  headers.remove(HeaderId::kContentLength);
  return Framing::kChunked;
}

bool Http1Connection::encode_body(Buffer& data, bool end_stream) {
  switch (framing_) {
    case Framing::kNone:
      data.clear();
      return true;
    case Framing::kContentLength:
      if (!pool_.cluster().lengths_as_given) {
        if (data.size() > body_left_ || (end_stream && data.size() != body_left_)) return false;
        body_left_ -= data.size();
      }
      out_.move_from(data);
      return true;
    case Framing::kChunked:
      if (!data.empty()) http::write_chunk(data, out_);
      if (end_stream) http::write_last_chunk(nullptr, out_);
      return true;
    case Framing::kUpgraded:
      out_.move_from(data);
      return true;
  }
  return true;
}

void Http1Connection::flush_out() {
  if (!out_.empty()) connection_->write(out_);
}

// An upgraded stream that has ended ends its side of the connection, too.
void Http1Connection::send_data(Buffer& data, bool end_stream) {
  if (!encode_body(data, end_stream)) {
    data.clear();
    fail(ResetReason::kLocalReset, "the body does not have the length that content-length says");
    return;
  }
  flush_out();
  if (end_stream && framing_ == Framing::kUpgraded) connection_->shutdown_write();
}

void Http1Connection::send_trailers(const http::HeaderMap& trailers) {
  if (framing_ == Framing::kChunked) {
    http::write_last_chunk(pool_.cluster().config.enable_trailers ? &trailers : nullptr, out_);
  } else if (body_left_ != 0 && !pool_.cluster().lengths_as_given) {
    fail(ResetReason::kLocalReset, "the body does not have the length that content-length says");
    return;
  }
  flush_out();
}

void Http1Connection::on_above_write_watermark() {
  above_watermark_ = true;
  if (active_ != nullptr) active_->update_watermark();
}

void Http1Connection::on_below_write_watermark() {
  above_watermark_ = false;
  if (active_ != nullptr) active_->update_watermark();
}

// --- the response's way ---

void Http1Connection::on_connected() {
  state_ = State::kIdle;
  connection_->resume_reading();
  pool_.on_connected(*this);
}

void Http1Connection::on_data(Buffer& data, bool end) {
  if (state_ == State::kIdle) {
    // FIN, or bytes that nobody asked for: either way this connection is of no more use.
    close();
    pool_.on_gone(*this, true);
    return;
  }
  if (state_ != State::kBusy) return;
  if (written_task_.scheduled() && !data.empty()) {
    data.clear();
    return fail(ResetReason::kProtocolError, "an answer came before the request was sent");
  }
  parse(data, end);
}

void Http1Connection::parse(Buffer& data, bool end) {
  const auto result = parser_->parse(data, end);
  if (state_ != State::kBusy) return;  // cancelled inside of a callback
  deliver_held();
  if (state_ != State::kBusy) return;
  if (!result) return fail(ResetReason::kProtocolError, result.error().message, end);
  if (parser_->message_complete()) return complete_response(!end && data.empty());
  if (!end) return;
  if (paused_) {
    if (&data != &leftover_) leftover_.move_from(data);
    peer_ended_ = true;
    return;
  }
  lost(ResetReason::kConnectionTermination, "");
}

http::HeaderMap& Http1Connection::headers_storage() {
  return active_ != nullptr ? active_->handler_.response_headers_storage() : discard_;
}

http::HeaderMap& Http1Connection::trailers_storage() {
  if (active_ != nullptr && pool_.cluster().config.enable_trailers)
    return active_->handler_.response_trailers_storage();
  discard_.clear();
  return discard_;
}

void Http1Connection::on_headers(bool end_stream) {
  if (active_ == nullptr) return;
  // A head without a body is told when the message is complete, so that the handler may end the request at once without
  // losing the connection.
  if (end_stream) {
    headers_end_ = true;
    return;
  }
  active_->handler_.on_upstream_headers(false);
  if (active_ != nullptr && parser_->upgrades()) active_->switch_protocols();
}

void Http1Connection::on_informational(uint32_t) {
  if (active_ != nullptr) active_->handler_.on_upstream_informational();
}

void Http1Connection::on_data(Buffer& data) {
  if (active_ == nullptr) {
    data.clear();
    return;
  }
  held_.move_from(data);
}

void Http1Connection::on_trailers() {
  trailers_come_ = active_ != nullptr && pool_.cluster().config.enable_trailers;
}

void Http1Connection::deliver_held() {
  if (held_.empty() || active_ == nullptr) return;
  active_->handler_.on_upstream_data(held_, false);
  held_.clear();
}

void Http1Connection::complete_response(bool reusable) {
  UpstreamRequest& request = *active_;
  const uint32_t max_requests = pool_.cluster().config.max_requests_per_connection;
  if (max_requests != 0 && requests_ >= max_requests) {
    pool_.cluster().stats.cx_max_requests.add();
    reusable = false;
  }
  reusable = reusable && parser_->keep_alive() && request.request_complete_ && !pool_.draining();
  const bool head_only = headers_end_;
  const bool trailers = trailers_come_;
  UpstreamHandler& handler = request.handler_;
  active_ = nullptr;
  request.detach();
  // Free the connection first: what the handler does next may well be the next request to the same host.
  if (reusable) {
    parser_->next_message();
    if (paused_) resume_response();
    pool_.on_free(*this);
  } else {
    close();
    pool_.on_gone(*this, false);
  }
  if (head_only) {
    handler.on_upstream_headers(true);
  } else if (trailers) {
    handler.on_upstream_trailers();
  } else {
    // As Envoy 1.40's HTTP/1 codec: the end comes by itself, without bytes. Not in held_, which is the next request's
    // by now: what filters put there and leave would come with its answer.
    Buffer end;
    handler.on_upstream_data(end, true);
  }
}

void Http1Connection::pause_response() {
  if (paused_) return;
  paused_ = true;
  parser_->set_paused(true);
  connection_->pause_reading();
}

void Http1Connection::resume_response() {
  if (!paused_) return;
  paused_ = false;
  parser_->set_paused(false);
  if (peer_ended_) {
    resume_timer_.arm(std::chrono::milliseconds(0));
  } else {
    connection_->resume_reading();
  }
}

// --- the end ---

void Http1Connection::abandon() {
  if (state_ == State::kClosed) return;
  if (active_ != nullptr) {
    active_->stream_ = nullptr;
    active_->pool_ = nullptr;
  }
  parser_->set_paused(true);  // in case that this is inside of parse()
  close();
}

// The rest of the answer can only be got rid of with its connection. Of an upgraded one the last bytes of the other
// side are still sent: they have no answer to wait for.
void Http1Connection::cancel() {
  if (active_ != nullptr && parser_->upgrades()) {
    mark_closed();
    parser_->set_paused(true);
    connection_->close(net::Connection::Close::kAfterFlush);
  } else {
    abandon();
  }
  pool_.on_gone(*this, false);
}

void Http1Connection::fail(ResetReason reason, std::string_view detail, bool by_peer) {
  UpstreamRequest* request = active_;
  if (reason == ResetReason::kProtocolError) pool_.cluster().stats.cx_protocol_error.add();
  close();
  pool_.on_gone(*this, by_peer);
  if (request != nullptr) request->finish_reset(reason, detail);
}

// The peer closed in the middle of an exchange. When it did so on a connection that had been kept alive, before the
// first byte of an answer to a request that is safe to repeat (RFC 9110 section 9.2.2), it closed an idle connection
// and never saw the request: send it once more.
void Http1Connection::lost(ResetReason reason, std::string_view detail) {
  UpstreamRequest* request = active_;
  const bool replay = request != nullptr && requests_ > 1 && !parser_->message_started() && request->may_replay();
  close();
  pool_.on_gone(*this, true);
  if (request == nullptr) return;
  if (replay) {
    request->stream_ = nullptr;
    request->replayed_ = true;
    pool_.replay(*request);
  } else {
    request->finish_reset(reason, detail);
  }
}

void Http1Connection::on_closed(net::CloseReason reason, std::string_view detail) {
  switch (state_) {
    case State::kConnecting:
      mark_closed();
      pool_.on_connect_failed(
          *this,
          reason == net::CloseReason::kConnectTimeout ? ResetReason::kConnectTimeout : ResetReason::kConnectFailure,
          detail);
      return;
    case State::kIdle:
      mark_closed();
      pool_.on_gone(*this, true);
      return;
    case State::kBusy:
      if (!parser_->message_started()) return lost(ResetReason::kConnectionTermination, detail);
      if (parser_->upgrades()) return fail(ResetReason::kConnectionTermination, detail, true);
      return fail(ResetReason::kProtocolError, detail, true);  // as Envoy: half an answer is none
    case State::kClosed:
      return;
  }
}

}  // namespace inlay::upstream
