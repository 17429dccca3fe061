// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which requests for an upgrade go on to an upstream: `upgrade_configs` of the connection manager and of routes. Pure
// functions.

#include <string_view>

#include "config/model.h"

namespace inlay::proxy::router {

// Whether the route lets an upgrade to `type` through: what it says of the type itself counts before what its
// connection manager says, and neither of them is no. `action`: the route's; nullptr for one that answers by itself.
bool allows_upgrade(const config::HttpConnectionManager& manager, const config::RouteAction* action,
                    std::string_view type);

// Whether the route makes a tunnel of CONNECT itself (connect_config), where others pass it on.
bool terminates_connect(const config::RouteAction& action);

}  // namespace inlay::proxy::router
