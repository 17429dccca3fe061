// SPDX-License-Identifier: Apache-2.0
#pragma once

// Attributes: what guests may ask with proxy_get_property (envoy.md 3.8, Envoy's attributes.rst), in the ABI's
// encoding: strings raw, integers and doubles 8 bytes little-endian, bool one byte, maps in the pairs form, messages as
// protobuf.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "abi/types.h"
#include "proxy/config/model.h"
#include "proxy/http/filter.h"

namespace inlay::proxy::wasm_filter {

using Path = std::vector<std::string_view>;

struct AttributeOptions {
  const config::Node* node = nullptr;                      // not null
  const config::Listener* listener = nullptr;              // not null for plugins of a listener
  const std::vector<config::Cluster>* clusters = nullptr;  // not null
  bool legacy = false;                                     // also the top-level names that Envoy 1.33 removed
};

// What a root context sees: xds.*.
abi::Status root_attribute(const AttributeOptions& options, const Path& path, std::string& value);
// What a stream sees: all of it.
abi::Status stream_attribute(const AttributeOptions& options, http::FilterCallbacks& callbacks, const Path& path,
                             std::string& value);

}  // namespace inlay::proxy::wasm_filter
