// SPDX-License-Identifier: Apache-2.0
// UpgradeConfig of extensions/filters/network/http_connection_manager/v3 HttpConnectionManager and of config/route/v3
// RouteAction.
#include "base/ascii.h"
#include "config/builders.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr FieldRule kOfManager[] = {
    {"upgrade_type"},
    {"enabled"},
    {"filters", Support::kNo, "upgraded streams go through the `http_filters`"},
};
constexpr FieldRule kOfRoute[] = {
    {"upgrade_type"},
    {"enabled"},
    {"connect_config"},
};
constexpr FieldRule kConnectConfig[] = {
    {"proxy_protocol_config", Support::kNo, "the upstream gets the bytes alone"},
    {"allow_post", Support::kOnly, "CONNECT alone makes a tunnel", "false"},
};
constexpr MessageRules kRules[] = {
    {"envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.UpgradeConfig", kOfManager},
    {"envoy.config.route.v3.RouteAction.UpgradeConfig", kOfRoute},
    {"envoy.config.route.v3.RouteAction.UpgradeConfig.ConnectConfig", kConnectConfig},
};

}  // namespace

std::span<const MessageRules> upgrade_rules() {
  return kRules;
}

namespace {

Upgrade build_upgrade(View one, bool of_route, BuildContext& context) {
  Upgrade out{one.text("upgrade_type"), one.boolean("enabled", true), one.has("connect_config")};
  // Envoy's router asks for a type that can be one, its connection manager does not.
  if (of_route) context.require(one, "upgrade_type");
  if (of_route && out.type.find_first_of(std::string_view("\0\r\n", 3)) != std::string::npos)
    context.field_error(one, "upgrade_type", "must not hold a line break or a NUL");
  if (equals_ignore_case(out.type, "CONNECT-UDP"))
    context.field_error(one, "upgrade_type", "`CONNECT-UDP` is valid, but Inlay does not support it yet");
  else if (out.terminates && !equals_ignore_case(out.type, "CONNECT"))
    context.field_error(one, "connect_config", "is of the `upgrade_type` CONNECT alone");
  return out;
}

}  // namespace

std::vector<Upgrade> build_upgrades(View message, bool of_route, BuildContext& context) {
  std::vector<Upgrade> out;
  for (View one : message.list("upgrade_configs")) {
    Upgrade built = build_upgrade(one, of_route, context);
    for (const Upgrade& other : out) {
      if (equals_ignore_case(other.type, built.type))
        context.field_error(one, "upgrade_type", document::quote(built.type) + " stands in this list already");
    }
    out.push_back(std::move(built));
  }
  return out;
}

}  // namespace inlay::config
