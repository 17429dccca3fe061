// SPDX-License-Identifier: Apache-2.0
#include "config/leave_out.h"

#include <algorithm>
#include <iterator>

#include "config/builders.h"
#include "document/scalars.h"

namespace inlay::config {

bool is_safe_to_leave_out(std::string_view type) {
  constexpr std::string_view kTypes[] = {
      "envoy.extensions.access_loggers.fluentd.v3.FluentdAccessLogConfig",
      "envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig",
      "envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig",
      "envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig",
      "envoy.extensions.access_loggers.stats.v3.Config",
      "envoy.extensions.filters.http.grpc_stats.v3.FilterConfig",
      "envoy.extensions.filters.http.tap.v3.Tap",
      "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector",
      "envoy.extensions.transport_sockets.tap.v3.Tap",
      "io.istio.http.peer_metadata.Config",
      "envoy.tcp.metadataexchange.config.MetadataExchange",
      "stats.PluginConfig",
  };
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}

bool is_left_out(const std::vector<std::string>& names, std::string_view name, std::string_view type) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& wanted) {
    return (!name.empty() && wanted == name) || (!type.empty() && wanted == type) ||
           (wanted == kLeaveOutSafe && is_safe_to_leave_out(type));
  });
}

const TreeNode* BuildContext::typed_or_left_out(View extension, std::initializer_list<std::string_view> types,
                                                std::string_view what) {
  const View any = extension["typed_config"];
  if (!any) return nullptr;
  const std::string& type = any.node().any_type;
  if (std::find(types.begin(), types.end(), type) != types.end()) return typed(any, types, what);
  const std::string name = extension.text("name");
  if (!is_left_out(options.leave_out, name, type)) {
    typed(any, types, std::string(what));
    return nullptr;
  }
  report.warning(extension.node(), std::string(what) + " " + document::quote(name) + " of type " +
                                       document::quote(type) +
                                       " is left out: requests and connections pass as if it were not there");
  left_out.push_back(extension.node().path() + ": " + name + " (" + type + ")");
  return nullptr;
}

}  // namespace inlay::config
