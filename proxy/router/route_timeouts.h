// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a route says of times, and what grpc-timeout makes of it, as Envoy 1.40's router and connection manager have it.
// Pure functions.

#include <chrono>
#include <optional>

#include "config/model.h"
#include "http/header_map.h"

namespace inlay::proxy::router {

// The upstream's time; 0: no limit. `by_grpc_timeout`: the request is gRPC's and the action has a max_grpc_timeout that
// counts, so that grpc-timeout is taken in the place of `timeout`.
std::chrono::milliseconds route_timeout(const config::RouteAction& action, const http::HeaderMap& request,
                                        bool by_grpc_timeout);

// How long the stream may last, 0 included; nullopt: no limit. `own`: the connection manager's max_stream_duration, 0
// for none.
using StreamLimit = std::optional<std::chrono::milliseconds>;
StreamLimit stream_limit(const config::RouteAction& action, const http::HeaderMap& request,
                         std::chrono::milliseconds own);

}  // namespace inlay::proxy::router
