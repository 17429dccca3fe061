// SPDX-License-Identifier: Apache-2.0
// extensions/filters/network/tcp_proxy/v3 TcpProxy.
#include "config/builders.h"

namespace inlay::config {

namespace {

constexpr std::string_view kLoggedAtItsEnd = "a connection is logged when it has ended";

constexpr FieldRule kTcpProxy[] = {
    {"stat_prefix"},
    {"cluster"},
    {"weighted_clusters"},
    {"on_demand", Support::kNo, "all clusters are static; name one in `cluster`"},
    {"metadata_match", Support::kNo, "it needs load balancing by subsets"},
    {"idle_timeout"},
    {"downstream_idle_timeout", Support::kIgnored, "Envoy does not use it either; there is `idle_timeout`"},
    {"upstream_idle_timeout", Support::kIgnored, "Envoy does not use it either; there is `idle_timeout`"},
    {"access_log"},
    {"max_connect_attempts"},
    {"backoff_options", Support::kNo, "attempts follow each other at once"},
    {"hash_policy", Support::kIgnored, "it concerns hashing load balancers only"},
    {"tunneling_config", Support::kNo, "connections go on as plain TCP"},
    {"max_downstream_connection_duration"},
    {"access_log_flush_interval", Support::kIgnored, kLoggedAtItsEnd},
    {"flush_access_log_on_connected", Support::kIgnored, kLoggedAtItsEnd},
    {"access_log_options", Support::kIgnored, kLoggedAtItsEnd},
    {"upstream_connect_mode", Support::kOnly, "", "IMMEDIATE"},
};
constexpr FieldRule kWeightedClusters[] = {{"clusters"}};
constexpr FieldRule kClusterWeight[] = {
    {"name"},
    {"weight"},
    {"metadata_match", Support::kNo, "it needs load balancing by subsets"},
};
constexpr MessageRules kRules[] = {
    {"envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", kTcpProxy},
    {"envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster", kWeightedClusters},
    {"envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight", kClusterWeight},
};

void add_target(View at, std::string_view field, uint32_t weight, TcpProxy& out, BuildContext& context) {
  if (!context.require(at, field)) return;
  const std::string name = at.text(field);
  if (!context.clusters.contains(name)) {
    context.report.warning(
        at[field].node(), "connections that are to go there are closed, as in Envoy: " + context.unknown_cluster(name));
  }
  out.targets.push_back({name, weight});
}

void build_targets(View proxy, TcpProxy& out, BuildContext& context) {
  const View weighted = proxy["weighted_clusters"];
  if (!weighted) {
    if (!proxy.has("cluster")) {
      context.error(proxy, "needs one of `cluster`, `weighted_clusters`");
      return;
    }
    add_target(proxy, "cluster", 1, out, context);
    return;
  }
  if (!context.require(weighted, "clusters")) return;
  for (View target : weighted.list("clusters")) {
    const uint32_t weight = target.uint32("weight");
    if (weight == 0) context.field_error(target, "weight", "must be at least 1");
    add_target(target, "name", weight, out, context);
  }
}

}  // namespace

std::span<const MessageRules> tcp_proxy_rules() {
  return kRules;
}

TcpProxy build_tcp_proxy(View proxy, BuildContext& context) {
  TcpProxy out;
  out.stat_prefix = proxy.text("stat_prefix");
  context.require(proxy, "stat_prefix");
  build_targets(proxy, out, context);
  out.idle_timeout = proxy.duration("idle_timeout", out.idle_timeout);
  out.max_connection_duration = proxy.duration("max_downstream_connection_duration", out.max_connection_duration);
  if (proxy.has("max_downstream_connection_duration") && out.max_connection_duration.count() == 0)
    context.field_error(proxy, "max_downstream_connection_duration", "must be at least 0.001s");
  out.max_connect_attempts = proxy.uint32("max_connect_attempts", out.max_connect_attempts);
  if (out.max_connect_attempts == 0) context.field_error(proxy, "max_connect_attempts", "must be at least 1");
  for (View log : proxy.list("access_log")) {
    if (auto built = build_access_log(log, context)) out.access_logs.push_back(*std::move(built));
  }
  return out;
}

}  // namespace inlay::config
