// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a proxy has to know of gRPC ("gRPC over HTTP2", of its own documentation). Pure functions.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/header_map.h"

namespace inlay::http {

// Statuses that a proxy gives by itself.
inline constexpr uint32_t kGrpcUnknown = 2;
inline constexpr uint32_t kGrpcDeadlineExceeded = 4;
inline constexpr uint32_t kGrpcResourceExhausted = 8;
inline constexpr uint32_t kGrpcInternal = 13;
inline constexpr uint32_t kGrpcUnavailable = 14;

// Whether a request is gRPC's: its content-type is "application/grpc", alone or with a '+' behind it, which of gRPC-Web
// it is not (Envoy's isGrpcRequestHeaders).
bool is_grpc(const HeaderMap& request);

// The gRPC status that stands for an HTTP status (gRPC's own mapping; Envoy's httpToGrpcStatus).
uint32_t grpc_status_of(uint32_t http_status);

// The :status of an answer; 0 if it has none.
uint32_t http_status(const HeaderMap& response);

// grpc-status of trailers, or of an answer that has no more than its head. kNoGrpcStatus stands for a value that is no
// status (0 to 16), as in Envoy.
inline constexpr uint32_t kNoGrpcStatus = UINT32_MAX;
std::optional<uint32_t> grpc_status(const HeaderMap& trailers);

// A time as the value of grpc-timeout: at most eight digits and a unit, "250m", "100000S".
std::string grpc_timeout_text(std::chrono::milliseconds timeout);
// The value of grpc-timeout as a time, at least a millisecond unless it is 0; nullopt if it is none.
std::optional<std::chrono::milliseconds> read_grpc_timeout(std::string_view text);

// A text as the value of grpc-message: all but printable ASCII without '%' percent-encoded.
std::string encode_grpc_message(std::string_view text);

// Makes of `response` the whole of a gRPC answer without a body: 200 with the status and, unless it is empty, the
// message; other fields stay.
void set_grpc_answer(HeaderMap& response, uint32_t grpc_status, std::string_view message);

}  // namespace inlay::http
