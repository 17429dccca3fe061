// SPDX-License-Identifier: Apache-2.0
#include "host/grpc_calls.h"

#include <algorithm>
#include <utility>

#include "base/grpc_prefix.h"
#include "host/grpc_request.h"
#include "host/guest_limits.h"
#include "host/vm.h"
#include "host/worker_impl.h"
#include "http/grpc.h"

namespace inlay::host {

using abi::Status;
using http::GrpcFrames;

namespace {

constexpr uint32_t kKind = 3;  // the bits of a token that say what it is of
constexpr uint32_t kOfCall = 1;
constexpr uint32_t kOfStream = 2;
constexpr uint32_t kNextToken = 4;
constexpr uint32_t kHttpOk = 200;

Error too_much() {
  return {ErrorCode::kResourceExhausted, std::string(describe(GuestLimit::kGrpc)), ""};
}

bool is_stream(uint32_t token) {
  return (token & kKind) == kOfStream;
}

void append_frame(Buffer& to, std::string_view message) {
  char prefix[kGrpcPrefix];
  write_grpc_prefix(prefix, message.size());
  to.append({prefix, kGrpcPrefix});
  to.append(message);
}

}  // namespace

struct GrpcCalls::Call {
  uint32_t token;
  uint32_t root_id;
  Begun begun;
  GrpcFrames frames;
  std::string details{};            // where the answer came from
  std::optional<Buffer> message{};  // a call's, until its status is known
  bool ended_here = false;          // the guest sends no more, and
  bool closed_here = false;         // has said so by proxy_grpc_close
};

GrpcCalls::GrpcCalls(Vm& vm, Upstreams* upstreams) : vm_(vm), upstreams_(upstreams) {}

GrpcCalls::~GrpcCalls() {
  *alive_ = false;
  cancel_all();
}

// --- what the guest asks for ---

Result<GrpcCalls::Begun> GrpcCalls::begin(const GrpcTarget& target, const Method& method, size_t message,
                                          std::optional<std::chrono::milliseconds> timeout) {
  CallStreamRequest request;
  request.cluster = target.cluster;
  write_grpc_head(target, method.service, method.name, timeout, method.metadata, request.headers);
  request.timeout = timeout.value_or(std::chrono::milliseconds(0));
  const size_t bytes = request.headers.arena_size() + message;
  if (calls_.size() >= limits::kGrpcCalls || bytes_ + bytes > limits::kGrpcBytes) return too_much();
  if (upstreams_ == nullptr) return Begun{};
  INLAY_TRY(const uint64_t stream_id, upstreams_->start_call_stream(std::move(request), *this));
  return Begun{stream_id, bytes};
}

Result<uint32_t> GrpcCalls::add(uint32_t token, uint32_t root_id, const GrpcTarget& target, Result<Begun> begun) {
  if (!begun) {
    const ErrorCode code = begun.error().code;
    if (code != ErrorCode::kResourceExhausted && code != ErrorCode::kUnsupported)
      close_later(root_id, token,
                  code == ErrorCode::kNotFound ? "Cluster not available" : "no healthy upstream{no_healthy_upstream}");
    return std::move(begun).error();
  }
  if (upstreams_ == nullptr) return token;
  const size_t most =
      target.max_message == 0 ? limits::kGrpcMessage : std::min(target.max_message, limits::kGrpcMessage);
  calls_.emplace(token, std::make_unique<Call>(Call{token, root_id, *begun, GrpcFrames(most)}));
  tokens_.emplace(begun->stream_id, token);
  bytes_ += begun->bytes;
  return token;
}

Result<uint32_t> GrpcCalls::call(uint32_t root_id, const GrpcTarget& target, const Method& method,
                                 std::string_view message, std::chrono::milliseconds timeout) {
  last_call_ += kNextToken;
  if (message.size() > limits::kGrpcMessage) return too_much();
  INLAY_TRY(const uint32_t token, add(last_call_, root_id, target, begin(target, method, message.size(), timeout)));
  Buffer body;
  append_frame(body, message);
  Call* const made = find(root_id, token);
  if (made == nullptr) return token;
  made->ended_here = true;
  if (upstreams_->send_to_call_stream(made->begun.stream_id, body, true)) return token;
  (void)cancel(root_id, token);
  return too_much();
}

Result<uint32_t> GrpcCalls::stream(uint32_t root_id, const GrpcTarget& target, const Method& method) {
  last_stream_ += kNextToken;
  return add(last_stream_, root_id, target, begin(target, method, 0, std::nullopt));
}

// Envoy tells a guest that cannot even begin of a token that it never got.
void GrpcCalls::close_later(uint32_t root_id, uint32_t token, std::string text) {
  if (vm_.worker() == nullptr) return;
  vm_.worker()->services.post([this, alive = alive_, root_id, token, text = std::move(text)] {
    if (!*alive) return;
    GrpcEvent event{.status = http::kGrpcUnavailable, .text = text};
    vm_.show_grpc(root_id, token, vm_.callbacks().on_grpc_close, event, event.status);
  });
}

Status GrpcCalls::send(uint32_t root_id, uint32_t token, std::string_view message, bool end) {
  if (!is_stream(token)) return Status::kBadArgument;
  if (upstreams_ == nullptr) return Status::kOk;
  Call* const found = find(root_id, token);
  if (found == nullptr) return ended_.contains({token, root_id}) ? Status::kOk : Status::kNotFound;
  if (found->ended_here) return Status::kOk;
  if (message.size() > limits::kGrpcMessage) return vm_.over_limit(GuestLimit::kGrpc);
  Buffer body;
  append_frame(body, message);
  found->ended_here = end;
  if (!upstreams_->send_to_call_stream(found->begun.stream_id, body, end)) {
    found->ended_here = false;
    return vm_.over_limit(GuestLimit::kGrpc);
  }
  return Status::kOk;
}

Status GrpcCalls::close(uint32_t root_id, uint32_t token) {
  if (!is_stream(token)) return cancel(root_id, token);
  if (upstreams_ == nullptr || forget_ended(root_id, token)) return Status::kOk;
  Call* const found = find(root_id, token);
  if (found == nullptr) return Status::kNotFound;
  Buffer nothing;
  if (!std::exchange(found->ended_here, true)) upstreams_->send_to_call_stream(found->begun.stream_id, nothing, true);
  found->closed_here = true;
  return Status::kOk;
}

Status GrpcCalls::cancel(uint32_t root_id, uint32_t token) {
  const uint32_t kind = token & kKind;
  if (kind != kOfCall && kind != kOfStream) return Status::kBadArgument;
  if (upstreams_ == nullptr || forget_ended(root_id, token)) return Status::kOk;
  Call* const found = find(root_id, token);
  if (found == nullptr) return Status::kNotFound;
  const uint64_t stream_id = found->begun.stream_id;
  remove(*found);
  upstreams_->cancel_call_stream(stream_id);
  return Status::kOk;
}

void GrpcCalls::cancel_all() {
  const Calls calls = std::move(calls_);
  calls_.clear();
  tokens_.clear();
  ended_.clear();
  bytes_ = 0;
  for (const auto& [token, call] : calls) upstreams_->cancel_call_stream(call->begun.stream_id);
}

// --- the calls that there are ---

GrpcCalls::Call* GrpcCalls::find(uint64_t stream_id) {
  const auto token = tokens_.find(stream_id);
  return token == tokens_.end() ? nullptr : calls_.find(token->second)->second.get();
}

GrpcCalls::Call* GrpcCalls::find(uint32_t root_id, uint32_t token) {
  const auto found = calls_.find(token);
  return found == calls_.end() || found->second->root_id != root_id ? nullptr : found->second.get();
}

void GrpcCalls::remove(Call& call) {
  tokens_.erase(call.begun.stream_id);
  bytes_ -= call.begun.bytes;
  calls_.erase(call.token);
}

void GrpcCalls::remember_ended(const Call& call) {
  ended_.emplace(call.token, call.root_id);
  if (ended_.size() > limits::kGrpcCalls) ended_.erase(ended_.begin());
}

bool GrpcCalls::forget_ended(uint32_t root_id, uint32_t token) {
  return ended_.erase({token, root_id}) > 0;
}

// --- what comes back ---

bool GrpcCalls::show_initial(Call& call, const http::HeaderMap& metadata) {
  const uint32_t token = call.token;
  if (!is_stream(token)) return true;
  GrpcEvent event{.initial_metadata = &metadata};
  vm_.show_grpc(call.root_id, token, vm_.callbacks().on_grpc_receive_initial_metadata, event,
                static_cast<uint32_t>(metadata.size()));
  return is_there(token);
}

bool GrpcCalls::show_trailing(Call& call, const http::HeaderMap& metadata) {
  const uint32_t token = call.token;
  if (!is_stream(token)) return true;
  GrpcEvent event{.trailing_metadata = &metadata};
  vm_.show_grpc(call.root_id, token, vm_.callbacks().on_grpc_receive_trailing_metadata, event,
                static_cast<uint32_t>(metadata.size()));
  return is_there(token);
}

bool GrpcCalls::show_message(Call& call, Buffer& message) {
  const uint32_t token = call.token;
  if (!is_stream(token)) {
    call.message = std::move(message);
    return true;
  }
  GrpcEvent event{.message = &message};
  vm_.show_grpc(call.root_id, token, vm_.callbacks().on_grpc_receive, event, static_cast<uint32_t>(message.size()));
  return is_there(token);
}

void GrpcCalls::finish(Call& call, uint32_t status, std::string text) {
  if (!call.details.empty()) text = text.empty() ? call.details : text + "{" + call.details + "}";
  const uint32_t token = call.token;
  const uint32_t root_id = call.root_id;
  const uint64_t stream_id = call.begun.stream_id;
  std::optional<Buffer> message = std::move(call.message);
  if (is_stream(token) && !call.closed_here) remember_ended(call);
  remove(call);
  upstreams_->cancel_call_stream(stream_id);
  if (!is_stream(token) && status == 0 && message) {
    GrpcEvent event{.message = &*message};
    return vm_.show_grpc(root_id, token, vm_.callbacks().on_grpc_receive, event,
                         static_cast<uint32_t>(message->size()));
  }
  if (!is_stream(token) && status == 0) {  // without a message
    status = http::kGrpcInternal;
    text.clear();
  }
  GrpcEvent event{.status = status, .text = text};
  vm_.show_grpc(root_id, token, vm_.callbacks().on_grpc_close, event, status);
}

void GrpcCalls::finish_with(Call& call, const http::HeaderMap& trailers) {
  const uint32_t status = http::grpc_status(trailers).value_or(http::kGrpcUnknown);
  std::string text(trailers.value(http::HeaderId::kGrpcMessage));  // as it came: Envoy does not decode it
  if (show_trailing(call, trailers)) finish(call, status, std::move(text));
}

void GrpcCalls::fail(Call& call, uint32_t status) {
  if (show_trailing(call, http::HeaderMap())) finish(call, status, "");
}

void GrpcCalls::on_call_stream_headers(uint64_t stream_id, http::HeaderMap& headers, bool end_stream,
                                       std::string_view details) {
  Call* const call = find(stream_id);
  if (call == nullptr) return;
  call->details = details;
  const uint32_t http_status = http::http_status(headers);
  const bool whole = end_stream && (http_status == kHttpOk || http::grpc_status(headers));
  if (http_status == kHttpOk && !end_stream) {
    show_initial(*call, headers);
  } else if (show_initial(*call, http::HeaderMap())) {
    whole ? finish_with(*call, headers) : fail(*call, http::grpc_status_of(http_status));
  }
}

void GrpcCalls::on_call_stream_data(uint64_t stream_id, Buffer& data, bool end_stream) {
  Call* const call = find(stream_id);
  if (call == nullptr) return data.clear();
  call->frames.add(data);
  for (Buffer message;;) {
    const GrpcFrames::Next next = call->frames.next(message);
    if (next == GrpcFrames::Next::kMore) break;
    if (next == GrpcFrames::Next::kTooLarge) return fail(*call, http::kGrpcResourceExhausted);
    if (next == GrpcFrames::Next::kBadFlags) return fail(*call, http::kGrpcInternal);
    if (!show_message(*call, message)) return;
  }
  if (end_stream) fail(*call, http::kGrpcUnknown);
}

void GrpcCalls::on_call_stream_trailers(uint64_t stream_id, http::HeaderMap& trailers) {
  if (Call* const call = find(stream_id)) finish_with(*call, trailers);
}

void GrpcCalls::on_call_stream_reset(uint64_t stream_id, std::string_view details) {
  Call* const call = find(stream_id);
  if (call == nullptr) return;
  if (!details.empty()) call->details = details;
  fail(*call, http::kGrpcInternal);
}

}  // namespace inlay::host
