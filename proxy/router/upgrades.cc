// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/upgrades.h"

#include <algorithm>
#include <vector>

#include "base/ascii.h"

namespace inlay::proxy::router {
namespace {

const config::Upgrade* find(const std::vector<config::Upgrade>& upgrades, std::string_view type) {
  const auto at = std::find_if(upgrades.begin(), upgrades.end(),
                               [&](const config::Upgrade& upgrade) { return equals_ignore_case(upgrade.type, type); });
  return at == upgrades.end() ? nullptr : &*at;
}

}  // namespace

bool allows_upgrade(const config::HttpConnectionManager& manager, const config::RouteAction* action,
                    std::string_view type) {
  const config::Upgrade* said = action == nullptr ? nullptr : find(action->upgrades, type);
  if (said == nullptr) said = find(manager.upgrades, type);
  return said != nullptr && said->enabled;
}

bool terminates_connect(const config::RouteAction& action) {
  const config::Upgrade* said = find(action.upgrades, "CONNECT");
  return said != nullptr && said->terminates;
}

}  // namespace inlay::proxy::router
