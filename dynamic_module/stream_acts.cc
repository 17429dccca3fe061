// SPDX-License-Identifier: Apache-2.0

// What a guest asks of a stream, and what is done of it in Envoy.

#include <chrono>
#include <cstdint>

#include "dynamic_module/attributes.h"
#include "dynamic_module/filter_state.h"
#include "dynamic_module/stream.h"
#include "http/grpc.h"
#include "http/header_fault.h"

namespace inlay::dynamic_module {

using abi::BufferType;
using abi::MapType;

namespace {

bool is_grpc(envoy::Filter* filter) {
  envoy::View type;
  if (!envoy::http_get_header(filter, 0, "content-type", &type, 0, nullptr)) return false;
  http::HeaderMap request;
  request.add("content-type", type);
  return http::is_grpc(request);
}

// A gRPC request is answered by a status of its own. Envoy makes it 0, which is success, of every module's reply, but
// leaves one alone that is there.
void reply(envoy::Filter* filter, host::LocalReply reply) {
  if (is_grpc(filter)) {
    const uint32_t status = reply.grpc_status.value_or(http::grpc_status_of(reply.status));
    // Envoy sets it, where it stands: in front, as in a reply of its own.
    reply.headers.emplace_back("content-type", "application/grpc");
    reply.headers.emplace_back("grpc-status", std::to_string(status));
  }
  std::vector<envoy::Field> fields;
  fields.reserve(reply.headers.size());
  for (const auto& [name, value] : reply.headers) fields.push_back({name, value});
  envoy::http_send_response(filter, reply.status, fields.data(), fields.size(), reply.body, reply.details);
}

}  // namespace

// As Envoy: a guest sees headers from the callback that brings them until it goes on, and again when the stream is
// logged, when there are no request trailers any more.
HeaderCopy* Stream::visible(MapType type) {
  switch (type) {
    case MapType::kHttpRequestHeaders:
      return request_.has_headers || logging_ ? &request_.headers : nullptr;
    case MapType::kHttpRequestTrailers:
      return request_.has_trailers && !logging_ ? &request_.trailers : nullptr;
    case MapType::kHttpResponseHeaders:
      return response_.has_headers || logging_ ? &response_.headers : nullptr;
    case MapType::kHttpResponseTrailers:
      return response_.has_trailers || logging_ ? &response_.trailers : nullptr;
    default:
      return nullptr;
  }
}

http::HeaderMap* Stream::headers(MapType type, bool writable) {
  if (over_ || (writable && logging_)) return nullptr;
  if (own_reply_ && type == MapType::kHttpResponseHeaders) return response_.has_headers ? &own_reply_->head : nullptr;
  HeaderCopy* const copy = visible(type);
  if (copy == nullptr) return nullptr;
  http::HeaderMap* const map = in_guest_ ? copy->read(filter_, type) : copy->kept();
  if (map != nullptr && writable) {
    copy->mark_written();
    if (!in_guest_) noted();
  }
  return map;
}

Buffer* Stream::body(BufferType type) {
  if (over_ || logging_ || (type != BufferType::kHttpRequestBody && type != BufferType::kHttpResponseBody))
    return nullptr;
  if (own_reply_ && own_reply_->shows_body && type == BufferType::kHttpResponseBody) return &own_reply_->body;
  Side& mine = type == BufferType::kHttpRequestBody ? request_ : response_;
  if (!mine.has_body) return nullptr;
  return in_guest_ ? &mine.body.read(filter_) : mine.body.kept();
}

void Stream::continue_stream(Direction direction) {
  if (!side(direction).stopped || (own_reply_ && direction == Direction::kRequest)) return;
  wanted_.go_on[static_cast<size_t>(direction)] = true;
  noted();
}

void Stream::send_local_reply(host::LocalReply reply) {
  if (!wanted_.reply) wanted_.reply = std::move(reply);
  noted();
}

void Stream::reset(std::string_view details) {
  wanted_.reset = std::string(details);
  noted();
}

void Stream::clear_route_cache() {
  wanted_.clear_route_cache = true;
  noted();
}

abi::Status Stream::get_property(const std::vector<std::string_view>& path, std::string& value) {
  if (over_ || !in_guest_) return abi::Status::kNotFound;
  if (path.size() == 2 && path[0] == "request" && (path[1] == "time" || path[1] == "duration"))
    return get_time(path[1] == "duration", value);
  if (path.size() > 1 && path[0] == "xds" && path[1] == "node") return vm_.get_property(path, value);
  if (own_reply_ && path.size() == 2 && path[0] == "response" && own_reply_->get_property(path[1], value))
    return abi::Status::kOk;
  VisibleMaps maps;
  maps.request_headers = headers(MapType::kHttpRequestHeaders, false);
  maps.response_headers = headers(MapType::kHttpResponseHeaders, false);
  maps.response_trailers = headers(MapType::kHttpResponseTrailers, false);
  return get_attribute(StreamAttributes(filter_), maps, path, value);
}

// As nanoseconds: since 1970, or until the stream is logged. Envoy 1.40 alone would tell.
abi::Status Stream::get_time(bool duration, std::string& value) const {
  if (duration && !logging_) return abi::Status::kNotFound;
  const auto time = duration ? std::chrono::nanoseconds(std::chrono::steady_clock::now() - begun_)
                             : std::chrono::nanoseconds(began_at_.time_since_epoch());
  const auto number = static_cast<int64_t>(time.count());
  value.assign(reinterpret_cast<const char*>(&number), sizeof number);
  return abi::Status::kOk;
}

abi::Status Stream::set_property(std::string_view path, std::string_view value, const host::PropertyTraits&) {
  std::string key = filter_state_key(path);
  if (!in_guest_) {
    wanted_.state.emplace_back(std::move(key), value);
    noted();
    return abi::Status::kOk;
  }
  return envoy::http_set_filter_state_bytes(filter_, key, value) ? abi::Status::kOk : abi::Status::kBadArgument;
}

abi::Status Stream::set_proxy_state(std::string_view key, std::string_view value) {
  if (!in_guest_) return abi::Status::kNotFound;
  return envoy::http_set_filter_state_typed(filter_, key, value) ? abi::Status::kOk : abi::Status::kNotFound;
}

void Stream::noted() {
  if (!in_guest_ && scheduler_ != nullptr) envoy::http_filter_scheduler_commit(scheduler_, 0);
}

// Somebody may want something of it before Envoy calls again: from now on there is a way, and what it may see is here.
void Stream::prepare_to_wait(const Side& waiting) {
  if (scheduler_ == nullptr) scheduler_ = envoy::http_filter_scheduler_new(filter_);
  if (!waiting.stopped) return;
  for (const auto type : {MapType::kHttpRequestHeaders, MapType::kHttpRequestTrailers, MapType::kHttpResponseHeaders,
                          MapType::kHttpResponseTrailers}) {
    if (HeaderCopy* const copy = visible(type)) (void)copy->read(filter_, type);
  }
}

void Stream::write_back() {
  for (const Direction direction : {Direction::kRequest, Direction::kResponse}) {
    const bool request = direction == Direction::kRequest;
    Side& mine = side(direction);
    std::string fault =
        mine.headers.write_back(filter_, request ? MapType::kHttpRequestHeaders : MapType::kHttpResponseHeaders);
    (void)mine.trailers.write_back(filter_, request ? MapType::kHttpRequestTrailers : MapType::kHttpResponseTrailers);
    if (!fault.empty() && !wanted_.reply) {
      wanted_.reply.emplace();
      wanted_.reply->status = 503;
      wanted_.reply->details = http::fault_details(request ? "request" : "response", fault);
      wanted_.reply->body = std::move(fault);
    }
    mine.headers.forget();
    mine.trailers.forget();
    if (mine.has_body) mine.body.write_back(filter_);
  }
}

bool Stream::carry_out(Wanted wanted) {
  if (over_ || !wanted.any()) return false;
  for (const auto& [key, value] : wanted.state) envoy::http_set_filter_state_bytes(filter_, key, value);
  if (wanted.clear_route_cache) envoy::http_clear_route_cache(filter_);
  if (wanted.reply) {
    reply(filter_, *std::move(wanted.reply));
    return true;
  }
  if (wanted.reset) {
    envoy::http_filter_reset_stream(filter_, envoy::ResetReason::kLocal, *wanted.reset);
    return true;
  }
  // The first may end the stream, or bring a callback that stops it again: the lock tells what is stopped now.
  for (const Direction direction : {Direction::kRequest, Direction::kResponse}) {
    if (!wanted.go_on[static_cast<size_t>(direction)] || over_) continue;
    {
      const std::lock_guard lock(vm_.mutex());
      Side& mine = side(direction);
      if (!std::exchange(mine.stopped, false)) continue;
      mine.has_headers = mine.has_trailers = mine.has_body = false;
      mine.body.forget();
    }
    direction == Direction::kRequest ? envoy::http_filter_continue_decoding(filter_)
                                     : envoy::http_filter_continue_encoding(filter_);
  }
  return false;
}

}  // namespace inlay::dynamic_module
