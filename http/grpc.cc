// SPDX-License-Identifier: Apache-2.0
#include "http/grpc.h"

#include "base/ascii.h"

namespace inlay::http {

bool is_grpc(const HeaderMap& request) {
  constexpr std::string_view kGrpc = "application/grpc";
  const std::string_view type = request.value(HeaderId::kContentType);
  return type.starts_with(kGrpc) && (type.size() == kGrpc.size() || type[kGrpc.size()] == '+');
}

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

void set_grpc_answer(HeaderMap& response, uint32_t grpc_status, std::string_view message) {
  response.set(HeaderId::kStatus, "200");
  response.set(HeaderId::kContentType, "application/grpc");
  response.set(HeaderId::kGrpcStatus, std::to_string(grpc_status));
  if (!message.empty()) response.set(HeaderId::kGrpcMessage, encode_grpc_message(message));
}

}  // namespace inlay::http
