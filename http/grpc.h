// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a proxy has to know of gRPC ("gRPC over HTTP2", of its own documentation). Pure functions.

#include <cstdint>
#include <string>
#include <string_view>

#include "http/header_map.h"

namespace inlay::http {

// Whether a request is gRPC's: its content-type is "application/grpc", alone or with a '+' behind it, which of gRPC-Web
// it is not (Envoy's isGrpcRequestHeaders).
bool is_grpc(const HeaderMap& request);

// The gRPC status that stands for an HTTP status (gRPC's own mapping; Envoy's httpToGrpcStatus).
uint32_t grpc_status_of(uint32_t http_status);

// A text as the value of grpc-message: all but printable ASCII without '%' percent-encoded.
std::string encode_grpc_message(std::string_view text);

// Makes of `response` the whole of a gRPC answer without a body: 200 with the status and, unless it is empty, the
// message; other fields stay.
void set_grpc_answer(HeaderMap& response, uint32_t grpc_status, std::string_view message);

}  // namespace inlay::http
