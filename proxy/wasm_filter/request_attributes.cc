// SPDX-License-Identifier: Apache-2.0
// request.* and response.*.

#include <charconv>

#include "http/envoy_headers.h"
#include "http/grpc.h"
#include "proxy/wasm_filter/attribute.h"

namespace inlay::proxy::wasm_filter {
namespace {

using abi::Status;
using http::HeaderId;
using http::HeaderMap;
using Source = AttributeSource;

Status put_field(const HeaderMap* headers, HeaderId id, std::string& out) {
  return headers != nullptr ? put_optional(out, headers->get(id)) : Status::kNotFound;
}

template <HeaderId Id>
Status request_field(const Source& s, std::string& out) {
  return put_field(s.stream->request_headers, Id, out);
}

int64_t bytes_of(const HeaderMap* headers) {
  return headers != nullptr ? static_cast<int64_t>(headers->byte_size()) : 0;
}

std::optional<int64_t> to_number(std::string_view text) {
  int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(n) : std::nullopt;
}

// --- request ---

Status url_path(const Source& s, std::string& out) {
  if (s.stream->request_headers == nullptr) return Status::kNotFound;
  const std::string_view path = s.stream->request_headers->value(HeaderId::kPath);
  return put_text(out, path.substr(0, path.find('?')));
}

// Without the fragment, which no client should send.
Status query(const Source& s, std::string& out) {
  if (s.stream->request_headers == nullptr) return Status::kNotFound;
  std::string_view path = s.stream->request_headers->value(HeaderId::kPath);
  const size_t question = path.find('?');
  if (question == std::string_view::npos) return put_text(out, "");
  path.remove_prefix(question + 1);
  return put_text(out, path.substr(0, path.find('#')));
}

Status request_headers(const Source& s, std::string& out) {
  if (s.rest.size() != 1) return put_headers(out, s.stream->request_headers, s.rest);
  const std::string_view name = http::request_field(s.rest.front());  // "host" is ":authority" here, too
  return put_headers(out, s.stream->request_headers, {&name, 1});
}
Status request_headers_bytes(const Source& s, std::string& out) {
  return put_number(out, bytes_of(s.stream->request_headers));
}
Status time(const Source& s, std::string& out) {
  return put_number(out, s.info().start_system);
}
Status protocol(const Source& s, std::string& out) {
  return s.info().protocol.empty() ? Status::kNotFound : put_text(out, s.info().protocol);
}

Status request_size(const Source& s, std::string& out) {
  const HeaderMap* headers = s.stream->request_headers;
  const auto length = headers != nullptr ? headers->get(HeaderId::kContentLength) : std::nullopt;
  if (!length) return put_number(out, s.info().bytes_received);
  const auto n = to_number(*length);
  return n ? put_number(out, *n) : Status::kNotFound;
}
Status request_total_size(const Source& s, std::string& out) {
  return put_number(out, static_cast<int64_t>(s.info().bytes_received) + bytes_of(s.stream->request_headers));
}

Status duration(const Source& s, std::string& out) {
  return s.stream->complete ? put_number(out, s.stream->now - s.info().start_monotonic) : Status::kNotFound;
}

constexpr Attribute kRequest[] = {
    {"path", AttributeKind::kString, &request_field<HeaderId::kPath>, "With the query."},
    {"url_path", AttributeKind::kString, &url_path, "Without the query."},
    {"host", AttributeKind::kString, &request_field<HeaderId::kAuthority>, ""},
    {"scheme", AttributeKind::kString, &request_field<HeaderId::kScheme>, ""},
    {"method", AttributeKind::kString, &request_field<HeaderId::kMethod>, ""},
    {"headers", AttributeKind::kMap, &request_headers,
     "All of them, or with a name that one; several values are listed with commas."},
    {"referer", AttributeKind::kString, &request_field<HeaderId::kReferer>, ""},
    {"useragent", AttributeKind::kString, &request_field<HeaderId::kUserAgent>, ""},
    {"time", AttributeKind::kTime, &time, "When its first byte came."},
    {"id", AttributeKind::kString, &request_field<HeaderId::kXRequestId>, "`x-request-id`."},
    {"protocol", AttributeKind::kString, &protocol, "`HTTP/1.0` or `HTTP/1.1`."},
    {"query", AttributeKind::kString, &query, "Without the fragment; empty if there is none."},
    {"size", AttributeKind::kInt, &request_size, "`content-length`, else the bytes of the body so far."},
    {"total_size", AttributeKind::kInt, &request_total_size, "Of headers and body so far."},
    {"duration", AttributeKind::kDuration, &duration, "Only while the stream is logged."},
    {"headers_bytes", AttributeKind::kInt, &request_headers_bytes, ""},
};

// --- response ---

Status code(const Source& s, std::string& out) {
  return s.info().response_code != 0 ? put_number(out, int64_t{s.info().response_code}) : Status::kNotFound;
}
Status code_details(const Source& s, std::string& out) {
  const std::string& details = s.info().response_code_details;
  return details.empty() && !s.info().local_reply ? Status::kNotFound : put_text(out, details);
}
Status flags(const Source& s, std::string& out) {
  return put_number(out, int64_t{s.info().response_flags});
}

// In the trailers, else in the headers, else what the status of the response would be.
Status grpc_status(const Source& s, std::string& out) {
  constexpr int64_t kInvalid = -1;
  constexpr int64_t kLargest = 16;
  for (const HeaderMap* map : {s.stream->response_trailers, s.stream->response_headers}) {
    const auto text = map != nullptr ? map->get(HeaderId::kGrpcStatus) : std::nullopt;
    if (!text || text->empty()) continue;
    const auto n = to_number(*text);
    return put_number(out, n && *n >= 0 && *n <= kLargest ? *n : kInvalid);
  }
  const uint32_t code = s.info().response_code;
  return code != 0 ? put_number(out, int64_t{http::grpc_status_of(code)}) : Status::kNotFound;
}

Status response_headers(const Source& s, std::string& out) {
  return put_headers(out, s.stream->response_headers, s.rest);
}
Status response_trailers(const Source& s, std::string& out) {
  return put_headers(out, s.stream->response_trailers, s.rest);
}
Status response_headers_bytes(const Source& s, std::string& out) {
  return put_number(out, bytes_of(s.stream->response_headers));
}
Status response_size(const Source& s, std::string& out) {
  return put_number(out, s.info().bytes_sent);
}
Status response_total_size(const Source& s, std::string& out) {
  return put_number(out, static_cast<int64_t>(s.info().bytes_sent) + bytes_of(s.stream->response_headers) +
                             bytes_of(s.stream->response_trailers));
}

// From the first byte of the request to the last one of the answer.
Status backend_latency(const Source& s, std::string& out) {
  const downstream::StreamInfo& info = s.info();
  if (info.upstream_connected_monotonic == 0 || info.upstream_last_byte_monotonic == 0) return Status::kNotFound;
  return put_number(out, info.upstream_last_byte_monotonic - info.upstream_connected_monotonic);
}

constexpr Attribute kResponse[] = {
    {"code", AttributeKind::kInt, &code, ""},
    {"code_details", AttributeKind::kString, &code_details, ""},
    {"flags", AttributeKind::kInt, &flags, "Envoy's bits."},
    {"grpc_status", AttributeKind::kInt, &grpc_status,
     "Of trailers or headers, else what gRPC makes of the HTTP status."},
    {"headers", AttributeKind::kMap, &response_headers, ""},
    {"trailers", AttributeKind::kMap, &response_trailers, ""},
    {"size", AttributeKind::kInt, &response_size, "Bytes of the body that were sent."},
    {"total_size", AttributeKind::kInt, &response_total_size, "Of headers, body and trailers."},
    {"headers_bytes", AttributeKind::kInt, &response_headers_bytes, ""},
    {"backend_latency", AttributeKind::kDuration, &backend_latency,
     "From the first byte of the request to the last one of the answer; when it has come."},
};

}  // namespace

std::span<const Attribute> request_attributes() {
  return kRequest;
}
std::span<const Attribute> response_attributes() {
  return kResponse;
}

}  // namespace inlay::proxy::wasm_filter
