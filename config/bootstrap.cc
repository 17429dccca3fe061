// SPDX-License-Identifier: Apache-2.0
// config/bootstrap/v3 Bootstrap and Admin; config/core/v3 Node, Metadata, Locality.
#include <algorithm>
#include <regex>

#include "config/builders.h"
#include "config/scalar_check.h"
#include "config/secrets.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr FieldRule kBootstrap[] = {
    {"node"},
    {"node_context_params", Support::kIgnored, "it concerns xDS only"},
    {"static_resources"},
    {"dynamic_resources", Support::kYes, "listeners and clusters from files"},
    {"cluster_manager", Support::kIgnored},
    {"flags_path", Support::kIgnored},
    {"deferred_stat_options", Support::kIgnored},
    {"stats_config"},
    {"stats_flush_interval", Support::kIgnored, "there are no statistics sinks"},
    {"stats_flush_on_admin", Support::kIgnored, "there are no statistics sinks"},
    {"stats_eviction_interval", Support::kIgnored},
    {"stats_sinks", Support::kNo, "scrape the admin's /stats/prometheus"},
    {"watchdog", Support::kIgnored},
    {"watchdogs", Support::kIgnored},
    {"tracing", Support::kIgnored, "Inlay has no tracing"},
    {"layered_runtime", Support::kYes, "`envoy.resource_limits.listener.NAME.connection_limit` in static layers"},
    {"admin"},
    {"bootstrap_extensions", Support::kYes, "WasmService"},
    {"overload_manager", Support::kYes, "the number of clients; memory is bounded by the buffers' limits"},
    {"enable_dispatcher_stats", Support::kIgnored},
    {"header_prefix", Support::kOnly, "", "x-envoy"},
    {"stats_server_version_override", Support::kIgnored},
    {"use_tcp_for_dns_lookups", Support::kIgnored, "the system's resolver is used"},
    {"dns_resolution_config", Support::kIgnored, "the system's resolver is used"},
    {"typed_dns_resolver_config", Support::kIgnored, "the system's resolver is used"},
    {"fatal_actions", Support::kIgnored},
    {"inline_headers", Support::kIgnored, "Inlay stores all headers alike"},
    {"perf_tracing_file_path", Support::kIgnored},
    {"default_regex_engine", Support::kIgnored, "the engine is RE2"},
    {"application_log_config", Support::kIgnored, "the log's form is a flag"},
    {"grpc_async_client_manager_config", Support::kIgnored},
    {"memory_allocator_manager", Support::kIgnored},
};
constexpr FieldRule kStatsConfig[] = {
    {"stats_tags", Support::kYes, "labels in Prometheus' format"},
    {"use_all_default_tags", Support::kIgnored, "Envoy's own tags are always there"},
    {"stats_matcher", Support::kIgnored, "all statistics are kept"},
    {"histogram_bucket_settings", Support::kIgnored, "histograms have Envoy's default buckets"},
};
constexpr FieldRule kTagSpecifier[] = {
    {"tag_name"},
    {"regex", Support::kYes, "std::regex (ECMAScript), as in Envoy; Envoy's own tags need none"},
    {"fixed_value"},
};
constexpr FieldRule kStaticResources[] = {
    {"listeners"},
    {"clusters"},
    {"secrets", Support::kYes, "certificates and validation contexts, for whoever names them"},
};
constexpr FieldRule kAdmin[] = {
    {"access_log", Support::kIgnored, "the admin server writes no access log"},
    {"access_log_path", Support::kIgnored, "the admin server writes no access log"},
    {"profile_path", Support::kIgnored},
    {"address"},
    {"socket_options", Support::kIgnored},
    {"ignore_global_conn_limit", Support::kIgnored, "the admin page's clients never count"},
    {"allow_paths", Support::kYes, "matched against the path without its query; 403 for others"},
};
constexpr FieldRule kNode[] = {
    {"id"},
    {"cluster"},
    {"metadata"},
    {"dynamic_parameters", Support::kIgnored, "it concerns xDS only"},
    {"locality"},
    {"user_agent_name", Support::kIgnored, "it concerns xDS only"},
    {"user_agent_version", Support::kIgnored, "it concerns xDS only"},
    {"user_agent_build_version", Support::kIgnored, "it concerns xDS only"},
    {"extensions", Support::kIgnored, "it concerns xDS only"},
    {"client_features", Support::kIgnored, "it concerns xDS only"},
    {"listening_addresses", Support::kIgnored, "it concerns xDS only"},
};
constexpr FieldRule kLocality[] = {{"region"}, {"zone"}, {"sub_zone"}};
constexpr FieldRule kExtension[] = {{"name"}, {"typed_config"}};
constexpr FieldRule kMetadata[] = {
    {"filter_metadata"},
    {"typed_filter_metadata", Support::kIgnored, "guests read `filter_metadata`"},
};
constexpr MessageRules kRules[] = {
    {"envoy.config.bootstrap.v3.Bootstrap", kBootstrap},
    {"envoy.config.metrics.v3.StatsConfig", kStatsConfig},
    {"envoy.config.metrics.v3.TagSpecifier", kTagSpecifier},
    {"envoy.config.bootstrap.v3.Bootstrap.StaticResources", kStaticResources},
    {"envoy.config.bootstrap.v3.Admin", kAdmin},
    {"envoy.config.core.v3.Node", kNode},
    {"envoy.config.core.v3.Locality", kLocality},
    {"envoy.config.core.v3.Metadata", kMetadata},
    {"envoy.config.core.v3.TypedExtensionConfig", kExtension},
};

}  // namespace

std::span<const MessageRules> bootstrap_rules() {
  return kRules;
}

namespace {

Node build_node(View node) {
  Node out;
  out.id = node.text("id");
  out.cluster = node.text("cluster");
  out.locality = build_locality(node["locality"]);
  if (View metadata = node["metadata"])
    for (const document::Source::Entry& entry : metadata.node().source->entries)
      out.metadata.emplace_back(entry.key, to_json(*entry.value));
  return out;
}

void check_unique(View at, std::string_view field, const std::string& name, std::map<std::string, std::string>& seen,
                  std::string_view what, BuildContext& context) {
  if (name.empty()) return;
  auto [it, fresh] = seen.emplace(name, at.node().path());
  if (!fresh)
    context.field_error(
        at, field,
        "a " + std::string(what) + " named " + document::quote(name) + " stands at " + it->second + " already");
}

// One listener an address: the second would take a part of the first one's connections, or fail to bind. Port 0 is
// whatever is free, a pipe's path is not.
void check_unique_address(View at, const Address& address, std::map<std::string, std::string>& seen,
                          BuildContext& context) {
  if ((address.port == 0 && !address.is_pipe) || address.host.empty()) return;
  auto [it, fresh] = seen.emplace(address.to_string(), at.node().path());
  if (!fresh)
    context.field_error(at, "address", document::quote(it->first) + " is the address of " + it->second + " already");
}

}  // namespace

namespace {

// The tags that Envoy 1.40 has a rule for, "envoy." before each.
constexpr std::string_view kTags[] = {
    "clientssl_prefix",
    "cluster_name",
    "connection_limit_prefix",
    "dns_filter_prefix",
    "dynamo_operation",
    "dynamo_partition_id",
    "dynamo_table",
    "ext_authz_prefix",
    "fault_downstream_cluster",
    "google_grpc_client_prefix",
    "grpc_bridge_method",
    "grpc_bridge_service",
    "health_check_name",
    "http_conn_manager_prefix",
    "http_user_agent",
    "listener_address",
    "local_http_ratelimit_prefix",
    "local_listener_ratelimit_prefix",
    "local_network_ratelimit_prefix",
    "mongo_callsite",
    "mongo_cmd",
    "mongo_collection",
    "mongo_prefix",
    "proxy_protocol_prefix",
    "proxy_protocol_version",
    "ratelimit_prefix",
    "rbac_http_prefix",
    "rbac_policy_name",
    "rbac_prefix",
    "rds_route_config",
    "redis_prefix",
    "response_code",
    "response_code_class",
    "route",
    "scoped_rds_config",
    "ssl_cipher",
    "ssl_curve",
    "ssl_sigalg",
    "ssl_version",
    "tcp_prefix",
    "thrift_prefix",
    "tls_certificate",
    "udp_prefix",
    "virtual_cluster",
    "virtual_host",
    "worker_id",
    "xds_resource_name",
};

bool is_own_tag(std::string_view name) {
  constexpr std::string_view kPrefix = "envoy.";
  return name.starts_with(kPrefix) &&
         std::find(std::begin(kTags), std::end(kTags), name.substr(kPrefix.size())) != std::end(kTags);
}

// What is wrong with a regular expression that Envoy compiles by std::regex; empty: nothing.
std::string fault_of_tag_regex(const std::string& regex) {
  constexpr size_t kLongest = 1024;  // validate.proto
  if (regex.size() > kLongest) return "must have at most 1024 bytes";
  try {
    const std::regex compiled(regex, std::regex::optimize);
    return "";
  } catch (const std::regex_error& error) {
    return std::string("not a regular expression of std::regex (ECMAScript), which Envoy uses here: ") + error.what();
  }
}

std::vector<StatsTag> build_stats_tags(View stats, BuildContext& context) {
  std::vector<StatsTag> out;
  for (View tag : stats.list("stats_tags")) {
    StatsTag built;
    built.name = tag.text("tag_name");
    built.regex = tag.text("regex");
    if (tag.has("fixed_value")) {
      built.fixed_value = tag.text("fixed_value");
    } else if (built.regex.empty() && !is_own_tag(built.name)) {
      context.error(tag, "needs a `regex` or a `fixed_value`: Envoy has no rule of its own for a tag of this name");
    } else if (const std::string fault = fault_of_tag_regex(built.regex); !fault.empty()) {
      context.field_error(tag, "regex", fault);
    }
    if (!built.name.empty()) {
      out.push_back(std::move(built));
    } else if (!built.regex.empty()) {
      context.field_error(tag, "tag_name", "must not be empty beside a `regex`");
    } else {
      context.report.warning(tag.node(), "has no `tag_name`, and so is no label of anything");
    }
  }
  return out;
}

void build_limits(View root, Bootstrap& out, BuildContext& context) {
  out.max_clients = build_max_clients(root["overload_manager"], context);
  const auto limits = build_connection_limits(root["layered_runtime"], context);
  for (Listener& listener : out.listeners)
    if (const auto limit = limits.find(listener.name); limit != limits.end()) listener.max_clients = limit->second;
}

}  // namespace

Bootstrap build_bootstrap(const Tree& tree, BuildContext& context) {
  Bootstrap out;
  const View root(tree.root);
  out.node = build_node(root["node"]);
  out.stats_tags = build_stats_tags(root["stats_config"], context);
  std::map<std::string, std::string> addresses;
  if (View admin = root["admin"]; admin && admin.has("address")) {
    out.admin = Admin{build_address(admin["address"], false, context), {}};
    for (View path : admin.list("allow_paths")) out.admin->allow_paths.push_back(build_string_matcher(path, context));
    check_unique_address(admin, out.admin->address, addresses, context);
  }
  if (const View interval = root["stats_flush_interval"]) {
    if (interval.node().duration < Milliseconds(1) || interval.node().duration >= std::chrono::minutes(5))
      context.error(interval, "must be at least 0.001s and less than 300s");
  }
  const View resources = root["static_resources"];
  take_secrets(resources, context);
  std::map<std::string, std::string> cluster_names;
  for (View cluster : resources.list("clusters")) {
    context.clusters.insert(cluster.text("name"));
    check_unique(cluster, "name", cluster.text("name"), cluster_names, "cluster", context);
    out.clusters.push_back(build_cluster(cluster, context));
  }
  for (View extension : root.list("bootstrap_extensions"))
    out.wasm_services.push_back(build_wasm_service(extension, context));
  std::set<std::string> listener_names;
  for (View listener : resources.list("listeners")) {
    std::vector<Listener> built = build_listener(listener, out.listeners.size(), context);
    const std::string name = built.front().name;
    if (!name.empty() && !listener_names.insert(name).second) {
      context.report.warning(
          listener.node(), "is left out, as in Envoy: there is a listener named " + document::quote(name) + " already");
      continue;
    }
    const bool udp = listener["address"]["socket_address"].enumerator("protocol") != 0;
    if (!udp) check_unique_address(listener, built.front().address, addresses, context);
    for (Listener& chain : built) out.listeners.push_back(std::move(chain));
  }
  build_limits(root, out, context);
  return out;
}

}  // namespace inlay::config
