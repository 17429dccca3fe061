// SPDX-License-Identifier: Apache-2.0
#pragma once

// The head of a gRPC request ("gRPC over HTTP2"), in the order and with the peculiarities of Envoy's client.

#include <chrono>
#include <optional>
#include <string_view>

#include "host/grpc_target.h"
#include "host/pairs.h"
#include "http/header_map.h"

namespace inlay::host {

// Fills `headers`, which is empty: the method's, then the target's metadata, then `metadata`. A field of these that a
// request has once is added to its value, behind a comma. Names that end in "-bin" have their values in base64.
void write_grpc_head(const GrpcTarget& target, std::string_view service, std::string_view method,
                     std::optional<std::chrono::milliseconds> timeout, const Pairs& metadata, http::HeaderMap& headers);

}  // namespace inlay::host
