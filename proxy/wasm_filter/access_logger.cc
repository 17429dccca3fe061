// SPDX-License-Identifier: Apache-2.0
#include "proxy/wasm_filter/access_logger.h"

namespace inlay::proxy::wasm_filter {

using abi::MapType;

void AccessLogger::log(const downstream::StreamRecord& record) {
  record_ = &record;
  plugin_.log(*this);
  record_ = nullptr;
}

http::HeaderMap* AccessLogger::headers(MapType type, bool writable) {
  if (writable) return nullptr;
  switch (type) {
    case MapType::kHttpRequestHeaders:
      return &record_->request_headers;
    case MapType::kHttpRequestTrailers:
      return &record_->request_trailers;
    case MapType::kHttpResponseHeaders:
      return &record_->response_headers;
    case MapType::kHttpResponseTrailers:
      return &record_->response_trailers;
    default:
      return nullptr;
  }
}

abi::Status AccessLogger::get_property(const std::vector<std::string_view>& path, std::string& value) {
  StreamAttributes stream{record_->info};
  stream.now = record_->now_monotonic;
  stream.complete = true;
  stream.request_headers = stream.routed_headers = &record_->request_headers;
  stream.response_headers = &record_->response_headers;
  stream.response_trailers = &record_->response_trailers;
  return stream_attribute(attributes_, stream, path, value);
}

}  // namespace inlay::proxy::wasm_filter
