// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/builders.h"

namespace inlay::config {

// What a RouteConfiguration says about all of its routes.
struct RouteLimits {
  bool validate_clusters = true;
  uint32_t largest_direct_response = 4096;
};

std::span<const MessageRules> route_action_rules();
RouteAction build_route_action(View action, const RouteLimits& limits, BuildContext& context);
RedirectAction build_redirect(View redirect, BuildContext& context);
DirectResponseAction build_direct_response(View response, const RouteLimits& limits, BuildContext& context);

}  // namespace inlay::config
