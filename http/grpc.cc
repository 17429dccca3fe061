// SPDX-License-Identifier: Apache-2.0
#include "http/grpc.h"

#include <charconv>

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

namespace {

template <class Number>
bool read_whole(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end && !text.empty();
}

}  // namespace

uint32_t http_status(const HeaderMap& response) {
  uint32_t status = 0;
  return read_whole(response.value(HeaderId::kStatus), status) ? status : 0;
}

std::optional<uint32_t> grpc_status(const HeaderMap& trailers) {
  constexpr uint32_t kLast = 16;  // Unauthenticated
  const auto text = trailers.get(HeaderId::kGrpcStatus);
  if (!text || text->empty()) return std::nullopt;
  uint32_t status = 0;
  return read_whole(*text, status) && status <= kLast ? status : kNoGrpcStatus;
}

std::string grpc_timeout_text(std::chrono::milliseconds timeout) {
  constexpr int64_t kMost = 99'999'999;
  struct Unit {
    char name;
    int64_t to_next;
  };
  constexpr Unit kUnits[] = {{'m', 1000}, {'S', 60}, {'M', 60}, {'H', 1}};
  int64_t value = timeout.count();
  for (const Unit& unit : kUnits) {
    if (value <= kMost || unit.name == 'H') return std::to_string(value) + unit.name;
    value /= unit.to_next;
  }
  return {};
}

std::optional<std::chrono::milliseconds> read_grpc_timeout(std::string_view text) {
  constexpr size_t kMostDigits = 8;
  constexpr int64_t kNanoseconds = 1'000'000;  // of a millisecond
  if (text.size() < 2 || text.size() > kMostDigits + 1) return std::nullopt;
  uint32_t value = 0;
  if (!read_whole(text.substr(0, text.size() - 1), value)) return std::nullopt;
  const auto in = [&](int64_t unit) {
    return std::chrono::milliseconds((value * unit + kNanoseconds - 1) / kNanoseconds);
  };
  switch (text.back()) {
    case 'H':
      return std::chrono::hours(value);
    case 'M':
      return std::chrono::minutes(value);
    case 'S':
      return std::chrono::seconds(value);
    case 'm':
      return std::chrono::milliseconds(value);
    case 'u':
      return in(1000);
    case 'n':
      return in(1);
    default:
      return std::nullopt;
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
