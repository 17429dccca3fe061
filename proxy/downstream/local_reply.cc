// SPDX-License-Identifier: Apache-2.0
#include "proxy/downstream/local_reply.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "http/envoy_headers.h"
#include "http/status_reason.h"

namespace inlay::proxy::downstream {
namespace {

using http::HeaderId;
using http::HeaderMap;

// gRPC's Percent-Byte encoding: all but printable ASCII without '%'.
std::string encode_grpc_message(std::string_view text) {
  std::string result;
  for (char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '%') {
      result += c;
    } else {
      append_hex(result += '%', c, kUpperHex);
    }
  }
  return result;
}

void append_headers(const host::LocalReply& reply, HeaderMap& response) {
  for (const auto& [name, value] : reply.headers) {
    if (!http::is_header_name(name) || !http::is_header_value(value)) continue;
    http::add_field(response, name, value);
  }
}

std::string make_grpc_reply(const host::LocalReply& reply, HeaderMap& response) {
  response.set(HeaderId::kStatus, "200");
  append_headers(reply, response);
  response.set(HeaderId::kContentType, "application/grpc");
  response.set(HeaderId::kGrpcStatus, std::to_string(reply.grpc_status.value_or(grpc_status_of(reply.status))));
  if (!reply.body.empty()) response.set(HeaderId::kGrpcMessage, encode_grpc_message(reply.body));
  return {};
}

}  // namespace

uint32_t grpc_status_of(uint32_t http_status) {
  switch (http_status) {
    case 400:
      return 13;  // Internal
    case 401:
      return 16;  // Unauthenticated
    case 403:
      return 7;  // PermissionDenied
    case 404:
      return 12;  // Unimplemented
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;  // Unavailable
    default:
      return 2;  // Unknown
  }
}

void begin_local_reply(const host::LocalReply& reply, HeaderMap& response) {
  response.clear();
  std::string status = std::to_string(reply.status);
  if (!http::is_status(status)) status = "500";
  response.add(HeaderId::kStatus, ":status", status);
}

std::string finish_local_reply(const HeaderMap& request, host::LocalReply reply, HeaderMap& response) {
  if (request.value(HeaderId::kContentType).starts_with("application/grpc")) return make_grpc_reply(reply, response);
  append_headers(reply, response);
  const std::string_view status = response.value(HeaderId::kStatus);
  if (reply.body.empty() || status == "204" || status == "304") {
    response.remove(HeaderId::kContentLength);
    response.remove(HeaderId::kContentType);
    return {};
  }
  response.set(HeaderId::kContentLength, std::to_string(reply.body.size()));
  if (!response.has(HeaderId::kContentType)) response.add(HeaderId::kContentType, "content-type", "text/plain");
  return request.value(HeaderId::kMethod) == "HEAD" ? std::string() : std::move(reply.body);
}

}  // namespace inlay::proxy::downstream
