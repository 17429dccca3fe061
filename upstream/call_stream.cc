// SPDX-License-Identifier: Apache-2.0
#include "upstream/call_stream.h"

#include <chrono>
#include <utility>

#include "http/grpc.h"
#include "http/header_fault.h"
#include "upstream/failure.h"

namespace inlay::upstream {

using http::HeaderId;

CallStream::CallStream(HttpCalls& owner, uint64_t id, WorkerCluster& cluster, host::CallStreamRequest request,
                       host::CallStreamHandler& handler)
    : owner_(owner),
      id_(id),
      cluster_(cluster),
      message_(std::move(request)),
      handler_(handler),
      request_(*this),
      timer_(owner.loop_, [this] { on_timeout(); }) {}

void CallStream::start(ConnectionPool& host) {
  started_ = owner_.loop_.now();
  http::HeaderMap& headers = message_.headers;
  HttpCalls::prepare(headers, message_.timeout, timer_);
  in_call_ = true;
  // Before anything is sent: the guest's bytes would go to the upstream as they are.
  if (const std::string fault = http::header_fault(headers); !fault.empty()) [[unlikely]] {
    answer_locally(503, fault, "");
  } else if (request_.start(host, headers, false) == UpstreamRequest::Started::kOverflow) {
    on_upstream_reset(ResetReason::kOverflow, "");
  }
  in_call_ = false;
}

bool CallStream::send(Buffer& data, bool end_stream) {
  if (over_ || request_complete_) {
    data.clear();
    return true;
  }
  const size_t size = data.size();
  // An end without bytes always passes.
  if (size > 0 && ((above_ && waiting() + size > kMostWaiting) || !owner_.may_wait(handler_, size))) {
    data.clear();
    return false;
  }
  request_complete_ = end_stream;
  in_call_ = true;
  request_.send_data(data, end_stream);
  in_call_ = false;
  waiting_ += size;
  owner_.waiting_[&handler_] += waiting() > 0 ? size : 0;
  return true;
}

size_t CallStream::waiting() {
  if (!request_.active() || (request_.connected() && !above_)) waiting_ = 0;
  return waiting_;
}

void CallStream::cancel() {
  over_ = true;
  timer_.disarm();
  request_.cancel();
}

void CallStream::on_upstream_headers(bool end_stream) {
  headers_came_ = true;
  const std::string milliseconds = owner_.charge(cluster_, http::http_status(headers_), started_);
  if (request_complete_) headers_.set(HeaderId::kXEnvoyUpstreamServiceTime, milliseconds);
  constexpr std::string_view kDetails = "via_upstream";
  if (!end_stream) return handler_.on_call_stream_headers(id_, headers_, false, kDetails);
  end([this, kDetails] { handler_.on_call_stream_headers(id_, headers_, true, kDetails); });
}

void CallStream::on_upstream_data(Buffer& data, bool end_stream) {
  if (!end_stream) return handler_.on_call_stream_data(id_, data, false);
  end([this, &data] { handler_.on_call_stream_data(id_, data, true); });
}

void CallStream::on_upstream_trailers() {
  end([this] { handler_.on_call_stream_trailers(id_, trailers_); });
}

void CallStream::on_upstream_reset(ResetReason reason, std::string_view detail) {
  if (reason == ResetReason::kConnectFailure) owner_.tell(cluster_, detail);
  std::string details = failure_details(reason, detail, headers_came_);
  if (headers_came_) return end_with_reset(std::move(details));
  answer_locally(status_for(reason), failure_text(reason), std::move(details));
}

void CallStream::on_timeout() {
  cluster_.stats().rq_timeout.add();
  request_.cancel();
  constexpr const char* kDetails = "response_timeout";
  headers_came_ ? end_with_reset(kDetails) : answer_locally(504, kTimeoutText, kDetails);
}

void CallStream::answer_locally(uint32_t status, std::string_view text, std::string details) {
  cluster_.stats().charge_response(status);
  headers_.clear();
  if (http::is_grpc(message_.headers)) {
    http::set_grpc_answer(headers_, http::grpc_status_of(status), text);
  } else {
    headers_.add(":status", std::to_string(status));
  }
  end([this, details = std::move(details)] { handler_.on_call_stream_headers(id_, headers_, true, details); });
}

void CallStream::end_with_reset(std::string details) {
  end([this, details = std::move(details)] { handler_.on_call_stream_reset(id_, details); });
}

template <class Tell>
void CallStream::end(Tell&& tell) {
  over_ = true;
  timer_.disarm();
  if (in_call_) {  // the guest has not got its token yet, or runs
    owner_.loop_.post([owner = &owner_, alive = owner_.alive_, id = id_, tell = std::forward<Tell>(tell)] {
      if (*alive && owner->streams_.contains(id)) owner->end_stream(id, tell);
    });
    return;
  }
  owner_.end_stream(id_, tell);
}

// --- HttpCalls ---

Result<uint64_t> HttpCalls::start_call_stream(host::CallStreamRequest request, host::CallStreamHandler& handler) {
  INLAY_TRY(const Route route, choose(request.cluster));
  const uint64_t id = next_id_++;
  auto stream = std::make_unique<CallStream>(*this, id, route.cluster, std::move(request), handler);
  CallStream& started = *stream;
  streams_.emplace(id, std::move(stream));
  started.start(route.host);
  return id;
}

// What was counted is an upper bound, and counted anew only when it is too much.
bool HttpCalls::may_wait(const host::CallStreamHandler& handler, size_t more) {
  size_t& waiting = waiting_[&handler];
  if (waiting + more <= CallStream::kMostWaitingOfAll) return true;
  waiting = 0;
  for (const auto& [id, stream] : streams_)
    if (&stream->handler() == &handler) waiting += stream->waiting();
  return waiting + more <= CallStream::kMostWaitingOfAll;
}

bool HttpCalls::send_to_call_stream(uint64_t stream_id, Buffer& data, bool end_stream) {
  const auto found = streams_.find(stream_id);
  if (found != streams_.end()) return found->second->send(data, end_stream);
  data.clear();
  return true;
}

void HttpCalls::cancel_call_stream(uint64_t stream_id) {
  auto node = streams_.extract(stream_id);
  if (node.empty()) return;
  node.mapped()->cancel();
  loop_.delete_later(std::move(node.mapped()));  // one of its functions may be on the stack
  if (streams_.empty()) waiting_.clear();
}

void HttpCalls::end_stream(uint64_t stream_id, const std::function<void()>& tell) {
  auto node = streams_.extract(stream_id);
  if (node.empty()) return;
  loop_.delete_later(std::move(node.mapped()));  // one of its functions is on the stack
  if (streams_.empty()) waiting_.clear();
  tell();
}

}  // namespace inlay::upstream
