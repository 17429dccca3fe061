// SPDX-License-Identifier: Apache-2.0
#pragma once

// The location of a RedirectAction.

#include <string>

#include "http/header_map.h"
#include "proxy/router/route_table.h"

namespace inlay::proxy::router {

// The absolute URL that `route.redirect` (not null) sends the request to, as Envoy makes it: parts that the action does
// not name stay as they are, and a port that is the default of a scheme that was replaced is dropped.
std::string redirect_location(const RouteEntry& route, const http::HeaderMap& request);

}  // namespace inlay::proxy::router
