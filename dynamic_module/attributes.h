// SPDX-License-Identifier: Apache-2.0
#pragma once

// The attributes of a stream that guests read as properties, as far as Envoy tells them to a module
// (docs/reference/dynamic_module.md has which). Encoded as host::AttributeSource says.

#include <string>
#include <string_view>
#include <vector>

#include "abi/types.h"
#include "dynamic_module/envoy_abi.h"
#include "http/header_map.h"

namespace inlay::dynamic_module {

// VisibleMaps are the headers that the guest may see now; nullptr: not these.
struct VisibleMaps {
  const http::HeaderMap* request_headers = nullptr;
  const http::HeaderMap* response_headers = nullptr;
  const http::HeaderMap* response_trailers = nullptr;
};

// In a hook. kNotFound, or kSerializationFailure for the root of a group.
abi::Status get_attribute(envoy::Filter* filter, const VisibleMaps& maps, const std::vector<std::string_view>& path,
                          std::string& value);

}  // namespace inlay::dynamic_module
