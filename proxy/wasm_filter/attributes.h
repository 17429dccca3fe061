// SPDX-License-Identifier: Apache-2.0
#pragma once

// Attributes: what guests may ask with proxy_get_property (docs/reference/properties.md, Envoy's attributes.rst), in
// the ABI's encoding: strings raw, integers, doubles, timestamps and durations (nanoseconds) 8 bytes little-endian,
// bool one byte, maps and lists in the pairs form (a list's values stand as keys), messages as protobuf. What does not
// exist (yet) is kNotFound; a root is a map of Envoy's own making, which has no wire form: kSerializationFailure.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "abi/types.h"
#include "config/model.h"
#include "http/header_map.h"
#include "proxy/downstream/filter.h"
#include "proxy/router/route_table.h"
#include "upstream/cluster.h"

namespace inlay::proxy::wasm_filter {

using Path = std::span<const std::string_view>;

struct AttributeOptions {
  const config::Node* node = nullptr;             // not null
  const config::Listener* listener = nullptr;     // not null for plugins of a listener
  upstream::ClusterRegistry* clusters = nullptr;  // not null
  bool legacy = false;                            // also the top-level names that Envoy 1.33 removed
};

// StreamAttributes is a stream as its attributes see it. Everything outlives the look-up.
struct StreamAttributes {
  const downstream::StreamInfo& info;
  int64_t now = 0;                                     // monotonic
  bool complete = false;                               // the request is over: it is being logged
  const http::HeaderMap* request_headers = nullptr;    // as far as they are in sight
  const http::HeaderMap* response_headers = nullptr;   // the same
  const http::HeaderMap* response_trailers = nullptr;  // the same
  const router::RouteTable* routes = nullptr;          // where the route comes from before the router has chosen
  const http::HeaderMap* routed_headers = nullptr;     // by these
};

// What a root context sees: xds.*.
abi::Status root_attribute(const AttributeOptions& options, Path path, std::string& value);
// What a stream sees: all of it.
abi::Status stream_attribute(const AttributeOptions& options, const StreamAttributes& stream, Path path,
                             std::string& value);

}  // namespace inlay::proxy::wasm_filter
