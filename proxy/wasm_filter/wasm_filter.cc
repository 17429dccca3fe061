// SPDX-License-Identifier: Apache-2.0
#include "proxy/wasm_filter/wasm_filter.h"

#include <algorithm>
#include <utility>

#include "proxy/wasm_filter/filter_state.h"

namespace inlay::proxy::wasm_filter {

using abi::BufferType;
using abi::MapType;
using downstream::DataStatus;
using downstream::HeadersStatus;
using downstream::TrailersStatus;

bool WasmFilter::start(downstream::FilterCallbacks& callbacks) {
  callbacks_ = &callbacks;
  context_ = nullptr;
  bypass_ = logging_ = over_ = response_begun_ = over_limit_ = false;
  request_.close();
  response_.close();
  return true;
}

// The guest's context begins with the first callback that concerns it, as in Envoy.
bool WasmFilter::ensure_context() {
  if (context_ != nullptr) return true;
  if (bypass_) return false;
  context_ = options_.plugin->create_http_context(*this);
  bypass_ = context_ == nullptr;
  return !bypass_;
}

bool WasmFilter::is_off(const http::HeaderMap& headers) const {
  if (!options_.routes || !options_.routes->switches_filters()) return options_.disabled;
  const router::RouteEntry* route = options_.routes->match(headers);
  if (route == nullptr) return options_.disabled;
  return !route->filter_switch(options_.name).value_or(!options_.disabled);
}

// --- the request ---

HeadersStatus WasmFilter::decode_headers(http::HeaderMap& headers, bool end_stream) {
  if (is_off(headers)) bypass_ = true;
  if (!ensure_context()) return HeadersStatus::kContinue;
  request_.headers = &headers;
  request_.end_stream = end_stream;
  const HeadersStatus status = context_->on_request_headers(end_stream);
  if (status == HeadersStatus::kContinue) request_.headers = nullptr;
  return status;
}

DataStatus WasmFilter::decode_data(Buffer& data, bool end_stream) {
  if (context_ == nullptr || !context_->wants_request_body()) return DataStatus::kContinue;
  return on_data(request_, data, callbacks_->buffered_request_body(), end_stream, true);
}

TrailersStatus WasmFilter::decode_trailers(http::HeaderMap& trailers) {
  if (context_ == nullptr) return TrailersStatus::kContinue;
  request_.trailers = &trailers;
  const TrailersStatus status = context_->on_request_trailers();
  if (status == TrailersStatus::kContinue) request_.trailers = nullptr;
  return status;
}

// --- the response ---

HeadersStatus WasmFilter::encode_headers(http::HeaderMap& headers, bool end_stream) {
  response_begun_ = true;
  if (context_ == nullptr || !context_->wants_response_headers()) return HeadersStatus::kContinue;
  response_.headers = &headers;
  response_.end_stream = end_stream;
  const HeadersStatus status = context_->on_response_headers(end_stream);
  if (status == HeadersStatus::kContinue) response_.headers = nullptr;
  return status;
}

DataStatus WasmFilter::encode_data(Buffer& data, bool end_stream) {
  if (context_ == nullptr || !context_->wants_response_body()) return DataStatus::kContinue;
  return on_data(response_, data, callbacks_->buffered_response_body(), end_stream, false);
}

TrailersStatus WasmFilter::encode_trailers(http::HeaderMap& trailers) {
  if (context_ == nullptr) return TrailersStatus::kContinue;
  response_.trailers = &trailers;
  const TrailersStatus status = context_->on_response_trailers();
  if (status == TrailersStatus::kContinue) response_.trailers = nullptr;
  return status;
}

// A guest that has asked to buffer sees everything that is buffered so far, the new bytes at the end.
DataStatus WasmFilter::on_data(Side& side, Buffer& data, Buffer* buffered, bool end_stream, bool request) {
  Buffer* visible = &data;
  if (side.buffering && buffered != nullptr) {
    buffered->move_from(data);
    visible = buffered;
    // As Envoy: with more than may be buffered the chain answers. The guest sees it of a request, and has no say.
    const uint32_t limit = callbacks_->buffer_limit();
    const bool over = limit > 0 && buffered->size() > limit;
    if (over && !request) return DataStatus::kStopIterationAndBuffer;
    over_limit_ = over;
  }
  side.body = visible;
  side.paused_body = false;
  side.end_stream = end_stream;
  const DataStatus status = request ? context_->on_request_body(visible->size(), end_stream)
                                    : context_->on_response_body(visible->size(), end_stream);
  side.body = nullptr;
  if (std::exchange(over_limit_, false)) return DataStatus::kStopIterationAndBuffer;
  side.buffering = status == DataStatus::kStopIterationAndBuffer;
  side.paused_body = side.buffering || status == DataStatus::kStopIterationAndWatermark;
  return status;
}

// --- the end ---

void WasmFilter::on_log() {
  logging_ = true;
  request_.close();
  response_.close();
  // A request that an earlier filter answered is logged all the same, unless the filter has no part in it.
  const http::HeaderMap* headers = callbacks_->request_headers();
  if (context_ == nullptr && headers != nullptr && is_off(*headers)) bypass_ = true;
  if (ensure_context()) context_->on_log();
}

void WasmFilter::on_destroy() {
  over_ = true;
  if (context_ != nullptr) context_->destroy();
  context_ = nullptr;
  callbacks_ = nullptr;
}

// --- what the guest asks of the stream ---

http::HeaderMap* WasmFilter::headers(MapType type, bool writable) {
  if (callbacks_ == nullptr) return nullptr;
  if (logging_) {
    if (writable) return nullptr;
    switch (type) {
      case MapType::kHttpRequestHeaders:
        return callbacks_->request_headers();
      case MapType::kHttpResponseHeaders:
        return callbacks_->response_headers();
      case MapType::kHttpResponseTrailers:
        return callbacks_->response_trailers();
      default:  // as in Envoy, no request trailers
        return nullptr;
    }
  }
  switch (type) {
    case MapType::kHttpRequestHeaders:
      if (writable && request_.headers != nullptr) remember_route();
      return request_.headers;
    case MapType::kHttpResponseHeaders:
      return response_.headers;
    case MapType::kHttpRequestTrailers:
      if (request_.trailers == nullptr && request_.body != nullptr && request_.end_stream && writable) {
        request_.trailers = callbacks_->add_request_trailers();
      }
      return request_.trailers;
    case MapType::kHttpResponseTrailers:
      if (response_.trailers == nullptr && response_.body != nullptr && response_.end_stream && writable) {
        response_.trailers = callbacks_->add_response_trailers();
      }
      return response_.trailers;
    default:
      return nullptr;
  }
}

Buffer* WasmFilter::body(BufferType type) {
  if (callbacks_ == nullptr) return nullptr;
  if (type == BufferType::kHttpRequestBody) {
    return request_.paused_body ? callbacks_->buffered_request_body() : request_.body;
  }
  if (type == BufferType::kHttpResponseBody) {
    return response_.paused_body ? callbacks_->buffered_response_body() : response_.body;
  }
  return nullptr;
}

void WasmFilter::continue_stream(host::Direction direction) {
  if (callbacks_ == nullptr) return;
  if (direction == host::Direction::kRequest) {
    request_.headers = request_.trailers = nullptr;
    request_.paused_body = false;
    callbacks_->continue_decoding();
  } else {
    response_.headers = response_.trailers = nullptr;
    response_.paused_body = false;
    callbacks_->continue_encoding();
  }
}

std::optional<std::string> WasmFilter::content_length(host::Direction direction) {
  const http::HeaderMap* headers = nullptr;
  if (callbacks_ != nullptr)
    headers = direction == host::Direction::kRequest ? callbacks_->request_headers() : callbacks_->response_headers();
  const auto length = headers != nullptr ? headers->get(http::HeaderId::kContentLength) : std::nullopt;
  return length ? std::optional<std::string>(*length) : std::nullopt;
}

void WasmFilter::send_local_reply(host::LocalReply reply) {
  if (callbacks_ != nullptr && !over_limit_) callbacks_->send_local_reply(std::move(reply));
}

void WasmFilter::reset(std::string_view details) {
  // An upstream's response that is under way keeps its details, as in Envoy.
  if (callbacks_ == nullptr) return;
  callbacks_->reset_stream(callbacks_->info().response_code_details.empty() ? details : std::string_view());
}

// As Envoy: until the router has chosen, a guest is told of the route that the request had before it was changed.
void WasmFilter::remember_route() {
  downstream::StreamInfo& info = callbacks_->info();
  if (info.route != nullptr || !options_.routes) return;
  const auto kept = std::exchange(info.kept_route, std::nullopt);
  if (!info.early_route) info.early_route = kept ? *kept : options_.routes->match(*request_.headers);
}

// As Envoy: a guest sees headers from the callback that brings them until it goes on, and again when the stream is
// logged.
StreamAttributes WasmFilter::attributes() const {
  const bool all = !over_ && logging_;
  StreamAttributes stream{callbacks_->info()};
  stream.now = callbacks_->loop().now();
  stream.complete = logging_;
  stream.request_headers = all ? callbacks_->request_headers() : request_.headers;
  stream.response_headers = all ? callbacks_->response_headers() : response_.headers;
  stream.response_trailers = all ? callbacks_->response_trailers() : response_.trailers;
  stream.routes = options_.routes.get();
  stream.routed_headers = callbacks_->request_headers();
  return stream;
}

abi::Status WasmFilter::get_property(const std::vector<std::string_view>& path, std::string& value) {
  if (callbacks_ == nullptr) return abi::Status::kNotFound;
  return stream_attribute(options_.attributes, attributes(), path, value);
}

abi::Status WasmFilter::set_property(std::string_view path, std::string_view value,
                                     const host::PropertyTraits& traits) {
  if (callbacks_ == nullptr) return abi::Status::kNotFound;
  return set_filter_state(callbacks_->info(), path, value, traits);
}

}  // namespace inlay::proxy::wasm_filter
