// SPDX-License-Identifier: Apache-2.0
#include "testkit/stream.h"

namespace inlay::testkit {

using abi::BufferType;
using abi::MapType;

namespace {
constexpr BufferType kRequestBody = BufferType::kHttpRequestBody;
constexpr BufferType kResponseBody = BufferType::kHttpResponseBody;
}  // namespace

TestStream::TestStream(host::WorkerPlugin& plugin, const HeaderList& request_headers) {
  for (const auto& [name, value] : request_headers) request.add(name, value);
  context_ = plugin.create_http_context(*this);
  bypassed_ = context_ == nullptr;
}

TestStream::~TestStream() {
  finish();
}

void TestStream::finish() {
  if (context_ == nullptr) return;
  host::HttpContext* const context = std::exchange(context_, nullptr);
  context->on_log();
  context->destroy();
}

abi::HeadersStatus TestStream::request_headers(bool end) {
  return context_->on_request_headers(end);
}

abi::DataStatus TestStream::request_body(std::string_view chunk, bool end) {
  request_buffer.append(chunk);
  body_in_callback_ = &kRequestBody;
  const auto status = context_->on_request_body(request_buffer.size(), end);
  body_in_callback_ = nullptr;
  return status;
}

abi::TrailersStatus TestStream::request_trailers(const HeaderList& trailers) {
  has_request_trailers_ = true;
  for (const auto& [name, value] : trailers) request_trailer_map.add(name, value);
  return context_->on_request_trailers();
}

abi::HeadersStatus TestStream::response_headers(const HeaderList& headers, bool end) {
  has_response_ = true;
  for (const auto& [name, value] : headers) response.add(name, value);
  return context_->on_response_headers(end);
}

abi::DataStatus TestStream::response_body(std::string_view chunk, bool end) {
  response_buffer.append(chunk);
  body_in_callback_ = &kResponseBody;
  const auto status = context_->on_response_body(response_buffer.size(), end);
  body_in_callback_ = nullptr;
  return status;
}

abi::TrailersStatus TestStream::response_trailers(const HeaderList& trailers) {
  has_response_trailers_ = true;
  for (const auto& [name, value] : trailers) response_trailer_map.add(name, value);
  return context_->on_response_trailers();
}

http::HeaderMap* TestStream::headers(MapType type, bool) {
  switch (type) {
    case MapType::kHttpRequestHeaders:
      return &request;
    case MapType::kHttpRequestTrailers:
      return has_request_trailers_ && context_ != nullptr ? &request_trailer_map
                                                          : nullptr;  // not in on_log, as in Envoy
    case MapType::kHttpResponseHeaders:
      return has_response_ ? &response : nullptr;
    case MapType::kHttpResponseTrailers:
      return has_response_trailers_ ? &response_trailer_map : nullptr;
    default:
      return nullptr;
  }
}

Buffer* TestStream::body(BufferType type) {
  if (body_in_callback_ == nullptr || *body_in_callback_ != type) return nullptr;
  return type == kRequestBody ? &request_buffer : &response_buffer;
}

void TestStream::send_local_reply(host::LocalReply reply) {
  ++local_replies;
  local_reply = std::move(reply);
}

abi::Status TestStream::set_proxy_state(std::string_view key, std::string_view value) {
  const auto found = proxy_state.find(std::string(key));
  if (found == proxy_state.end()) return abi::Status::kNotFound;
  found->second = value;
  return abi::Status::kOk;
}

}  // namespace inlay::testkit
