// SPDX-License-Identifier: Apache-2.0
#pragma once

// What istiod makes of the resources that are rendered, on the configuration of a sidecar: so that the result can be
// checked as the proxy will see it.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "document/source.h"

namespace inlay::deploy {

// Applies an EnvoyFilter's patches to a bootstrap in JSON, as istiod applies them to the listeners and clusters of a
// sidecar: CLUSTER and LISTENER with ADD, and HTTP_FILTER with INSERT_BEFORE of a filter that listener, filter chain
// and sub-filter match. Errors: another kind of patch (kUnsupported), or one that meets nothing (kNotFound): a mesh
// would ignore it without a word.
Result<std::string> apply_envoy_filter(std::string_view bootstrap_json, const document::Source& envoy_filter);

// The same for a WasmPlugin or a TrafficExtension: the HTTP filter that istiod makes of it stands before the router of
// each listener that its match takes. `code` is the DataSource for its VM, in JSON.
Result<std::string> apply_wasm_resource(std::string_view bootstrap_json, const document::Source& resource,
                                        std::string_view code);

// A cluster that requests of an outbound listener can go to, and the configuration of a Wasm filter that they pass.
struct PassedRoute {
  std::string cluster;
  std::string configuration;
};
// Of a bootstrap in JSON, such as those that the functions above give: one for each route and each Wasm filter.
std::vector<PassedRoute> passed_routes(std::string_view bootstrap_json);

}  // namespace inlay::deploy
