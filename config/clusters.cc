// SPDX-License-Identifier: Apache-2.0
// config/cluster/v3 Cluster and config/endpoint/v3 ClusterLoadAssignment.
#include "config/builders.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr FieldRule kCluster[] = {
    {"name"},
    {"alt_stat_name"},
    {"type", Support::kYes, "STATIC, STRICT_DNS, LOGICAL_DNS"},
    {"connect_timeout"},
    {"per_connection_buffer_limit_bytes"},
    {"lb_policy", Support::kYes, "ROUND_ROBIN, LEAST_REQUEST, RANDOM"},
    {"load_assignment"},
    {"health_checks", Support::kNo, "remove them; every endpoint counts as healthy"},
    {"max_requests_per_connection"},
    {"circuit_breakers"},
    {"common_http_protocol_options"},
    {"http_protocol_options"},
    {"http2_protocol_options", Support::kYes, "requests go out as HTTP/2"},
    {"typed_extension_protocol_options", Support::kYes, "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"},
    {"dns_refresh_rate"},
    {"dns_jitter", Support::kIgnored},
    {"dns_failure_refresh_rate", Support::kIgnored, "failures are tried again after `dns_refresh_rate`"},
    {"respect_dns_ttl", Support::kIgnored, "names are resolved again every `dns_refresh_rate`"},
    {"dns_lookup_family"},
    {"typed_dns_resolver_config", Support::kIgnored, "the system's resolver is used"},
    {"dns_resolution_config", Support::kIgnored, "the system's resolver is used"},
    {"use_tcp_for_dns_lookups", Support::kIgnored, "the system's resolver is used"},
    {"wait_for_warm_on_init", Support::kIgnored},
    {"cleanup_interval", Support::kIgnored},
    {"metadata"},
    {"protocol_selection"},
    {"upstream_connection_options", Support::kIgnored, "the system's keep-alive settings are used"},
    {"track_timeout_budgets", Support::kIgnored, "it concerns statistics only"},
    {"track_cluster_stats", Support::kIgnored, "it concerns statistics only"},
    {"close_connections_on_host_health_failure", Support::kIgnored, "it concerns health checks only"},
    {"ignore_health_on_host_removal", Support::kIgnored, "it concerns health checks only"},
    {"transport_socket", Support::kYes, "raw_buffer and tls (UpstreamTlsContext)"},
};
constexpr FieldRule kLoadAssignment[] = {{"cluster_name"}, {"endpoints"}};
constexpr FieldRule kLocality[] = {
    {"locality", Support::kYes, "for properties; endpoints of all localities are used alike"},
    {"metadata", Support::kYes, "for properties"},
    {"lb_endpoints"},
    {"load_balancing_weight", Support::kIgnored, "it needs locality-weighted load balancing, which is not on"},
    {"priority", Support::kOnly, "all endpoints have priority 0", "0"},
    {"proximity", Support::kIgnored},
};
constexpr FieldRule kLbEndpoint[] = {{"endpoint"}, {"health_status"}, {"metadata"}, {"load_balancing_weight"}};
constexpr FieldRule kEndpoint[] = {
    {"address"},
    {"hostname"},
    {"health_check_config", Support::kIgnored, "it concerns health checks only"},
};
constexpr FieldRule kCircuitBreakers[] = {
    {"thresholds", Support::kYes, "of priority DEFAULT; those of HIGH have no request to count"},
};
constexpr FieldRule kThresholds[] = {
    {"priority"},     {"max_connections"}, {"max_pending_requests"},
    {"max_requests"}, {"max_retries"},     {"track_remaining", Support::kIgnored, "it concerns statistics only"},
};
constexpr FieldRule kUpstreamHttp[] = {
    {"common_http_protocol_options"},
    {"upstream_http_protocol_options"},
    {"explicit_http_config"},
    {"use_downstream_protocol_config", Support::kYes, "HTTP/2 for requests that came as HTTP/2, HTTP/1.1 for others"},
    {"auto_config", Support::kYes, "with TLS, as in Envoy; HTTP/1.1 is all that the server is offered"},
    {"http_filters", Support::kNo, "put the filters into the connection manager's `http_filters`"},
};
constexpr FieldRule kUpstreamOptions[] = {
    {"auto_sni", Support::kOnly, "", "false"},
    {"auto_san_validation", Support::kOnly, "", "false"},
    {"override_auto_sni_header", Support::kIgnored, "it concerns `auto_sni` only"},
};
constexpr FieldRule kDownstreamProtocol[] = {
    {"http_protocol_options"},
    {"http2_protocol_options"},
    {"http3_protocol_options", Support::kNo, "upstream connections are HTTP/1.1 or HTTP/2"},
};
constexpr FieldRule kAutoHttp[] = {
    {"http_protocol_options"},
    {"http2_protocol_options", Support::kIgnored, "HTTP/1.1 is all that the server is offered"},
    {"http3_protocol_options", Support::kIgnored, "HTTP/1.1 is all that the server is offered"},
    {"alternate_protocols_cache_options", Support::kIgnored, "HTTP/1.1 is all that the server is offered"},
};
constexpr FieldRule kExplicitHttp[] = {
    {"http_protocol_options"},
    {"http2_protocol_options", Support::kYes, "requests go out as HTTP/2"},
    {"http3_protocol_options", Support::kNo, "upstream connections are HTTP/1.1 or HTTP/2"},
};
constexpr MessageRules kRules[] = {
    {"envoy.config.cluster.v3.Cluster", kCluster},
    {"envoy.config.endpoint.v3.ClusterLoadAssignment", kLoadAssignment},
    {"envoy.config.endpoint.v3.LocalityLbEndpoints", kLocality},
    {"envoy.config.endpoint.v3.LbEndpoint", kLbEndpoint},
    {"envoy.config.endpoint.v3.Endpoint", kEndpoint},
    {"envoy.config.cluster.v3.CircuitBreakers", kCircuitBreakers},
    {"envoy.config.cluster.v3.CircuitBreakers.Thresholds", kThresholds},
    {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions", kUpstreamHttp},
    {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig", kExplicitHttp},
    {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions.UseDownstreamHttpConfig", kDownstreamProtocol},
    {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions.AutoHttpConfig", kAutoHttp},
    {"envoy.config.core.v3.UpstreamHttpProtocolOptions", kUpstreamOptions},
};

constexpr std::string_view kHttpOptions = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

void unsupported_value(View message, std::string_view field, std::string_view supported, BuildContext& context) {
  context.field_error(
      message, field,
      "`" + message.text(field) + "` is valid, but Inlay does not support it yet; use " + std::string(supported));
}

Cluster::Type type_of(View cluster, BuildContext& context) {
  const int64_t type = cluster.enumerator("type");
  if (type > 2) unsupported_value(cluster, "type", "STATIC, STRICT_DNS or LOGICAL_DNS", context);
  return type > 2 ? Cluster::Type::kStatic : static_cast<Cluster::Type>(type);
}

Cluster::LbPolicy policy_of(View cluster, BuildContext& context) {
  const std::string policy = cluster.text("lb_policy");
  if (policy == "LEAST_REQUEST") return Cluster::LbPolicy::kLeastRequest;
  if (policy == "RANDOM") return Cluster::LbPolicy::kRandom;
  if (!policy.empty() && policy != "ROUND_ROBIN")
    unsupported_value(cluster, "lb_policy", "ROUND_ROBIN, LEAST_REQUEST or RANDOM", context);
  return Cluster::LbPolicy::kRoundRobin;
}

Endpoint build_endpoint(View lb_endpoint, bool names_allowed, BuildContext& context) {
  Endpoint out;
  const View endpoint = lb_endpoint["endpoint"];
  if (!endpoint) {
    if (!lb_endpoint.has("endpoint_name")) context.require(lb_endpoint, "endpoint");
    return out;
  }
  if (context.require(endpoint, "address")) out.address = build_address(endpoint["address"], names_allowed, context);
  out.hostname = endpoint.text("hostname");
  out.weight = lb_endpoint.uint32("load_balancing_weight", 1);
  if (out.weight == 0) context.field_error(lb_endpoint, "load_balancing_weight", "must be at least 1");
  const std::string health = lb_endpoint.text("health_status");
  if (health == "UNHEALTHY" || health == "DRAINING" || health == "TIMEOUT") out.health = Endpoint::Health::kUnhealthy;
  out.metadata = build_metadata(lb_endpoint["metadata"]);
  return out;
}

void build_endpoints(View cluster, Cluster& out, bool known_type, BuildContext& context) {
  const View assignment = cluster["load_assignment"];
  if (!assignment) return;
  context.require(assignment, "cluster_name");
  const bool names_allowed = out.type != Cluster::Type::kStatic || !known_type;
  for (View locality : assignment.list("endpoints")) {
    if (locality.uint32("priority") > 128) context.field_error(locality, "priority", "must be at most 128");
    for (View endpoint : locality.list("lb_endpoints")) {
      out.endpoints.push_back(build_endpoint(endpoint, names_allowed, context));
      out.endpoints.back().locality = build_locality(locality["locality"]);
      out.endpoints.back().locality_metadata = build_metadata(locality["metadata"]);
    }
  }
  if (out.type == Cluster::Type::kLogicalDns && out.endpoints.size() != 1)
    context.error(assignment, "a LOGICAL_DNS cluster must have exactly one endpoint, this one has " +
                                  std::to_string(out.endpoints.size()));
}

void build_circuit_breakers(View cluster, Cluster& out) {
  for (View thresholds : cluster["circuit_breakers"].list("thresholds")) {
    if (thresholds.enumerator("priority") != 0) continue;
    out.max_connections = thresholds.uint32("max_connections", out.max_connections);
    out.max_pending_requests = thresholds.uint32("max_pending_requests", out.max_pending_requests);
    out.max_requests = thresholds.uint32("max_requests", out.max_requests);
    out.max_retries = thresholds.uint32("max_retries", out.max_retries);
    return;  // as in Envoy, the first of a priority counts
  }
}

void build_http_options(View options, Cluster& out) {
  out.idle_timeout = options.duration("idle_timeout", out.idle_timeout);
  out.max_requests_per_connection = options.uint32("max_requests_per_connection", out.max_requests_per_connection);
}

// The protocol by the fields that a cluster had before typed_extension_protocol_options.
void build_own_protocol(View cluster, Cluster& out, BuildContext& context) {
  out.max_requests_per_connection = cluster.uint32("max_requests_per_connection");
  build_http_options(cluster["common_http_protocol_options"], out);
  out.enable_trailers = cluster["http_protocol_options"].boolean("enable_trailers");
  out.as_downstream = cluster.text("protocol_selection") == "USE_DOWNSTREAM_PROTOCOL";
  const bool has_http2 = cluster.has("http2_protocol_options");
  if (has_http2 || out.as_downstream) out.http2 = build_http2_options(cluster["http2_protocol_options"], context);
  if (!out.as_downstream && has_http2 && cluster.has("http_protocol_options"))
    context.field_error(cluster, "http_protocol_options",
                        "only one of it and `http2_protocol_options` can be set, but with `protocol_selection: "
                        "USE_DOWNSTREAM_PROTOCOL`");
}

// An empty Any is as if it were not there, but not in this map: its key says what it lacks.
void check_empty_options(View options, BuildContext& context) {
  if (!options || options.node().source == nullptr) return;
  for (const document::Source::Entry& entry : options.node().source->entries)
    if (entry.value->kind == document::Source::Kind::kMap && entry.value->entries.empty())
      context.report.error(entry.place, options.node().path() + "[" + document::json_string(entry.key) + "]",
                           "lacks its \"@type\", and which protocol is spoken");
}

void build_protocol(View cluster, Cluster& out, BuildContext& context) {
  check_empty_options(cluster["typed_extension_protocol_options"], context);
  build_own_protocol(cluster, out, context);
  for (View entry : cluster.list("typed_extension_protocol_options")) {
    const TreeNode* node = context.typed(entry, {kHttpOptions}, "a cluster's protocol setting");
    if (node == nullptr) continue;
    if (entry.node().key != kHttpOptions) context.error(entry, "the key must be `" + std::string(kHttpOptions) + "`");
    const View options(node);
    out.http2.reset();
    out.as_downstream = options.has("use_downstream_protocol_config");
    build_http_options(options["common_http_protocol_options"], out);
    for (const std::string_view choice : {"explicit_http_config", "use_downstream_protocol_config", "auto_config"}) {
      if (const View chosen = options[choice])
        out.enable_trailers = chosen["http_protocol_options"].boolean("enable_trailers");
    }
    if (const View explicit_config = options["explicit_http_config"]) {
      if (explicit_config.node().children.empty() && explicit_config.node().source->entries.empty())
        context.require(explicit_config, "http_protocol_options");
      if (explicit_config.has("http2_protocol_options"))
        out.http2 = build_http2_options(explicit_config["http2_protocol_options"], context);
    } else if (out.as_downstream) {
      out.http2 = build_http2_options(options["use_downstream_protocol_config"]["http2_protocol_options"], context);
    } else if (!options.has("auto_config")) {
      context.error(entry, "needs `explicit_http_config: {http_protocol_options: {}}`");
    }
  }
}

// Of a type that is not supported, which is an error already.
bool has_unknown_socket(View cluster) {
  const View config = cluster["transport_socket"]["typed_config"];
  const std::string raw = "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer";
  return config && config.node().any_type != raw;
}

void check_auto_config(View cluster, const Cluster& out, BuildContext& context) {
  for (View entry : cluster.list("typed_extension_protocol_options")) {
    if (const View chosen = entry["auto_config"]; chosen && !out.tls && !has_unknown_socket(cluster))
      context.error(chosen, "needs a `transport_socket` with TLS, in whose handshake the server chooses the protocol");
  }
}

}  // namespace

std::span<const MessageRules> cluster_rules() {
  return kRules;
}

Cluster build_cluster(View cluster, BuildContext& context) {
  Cluster out;
  out.name = cluster.text("name");
  context.require(cluster, "name");
  out.alt_stat_name = cluster.text("alt_stat_name");
  out.type = type_of(cluster, context);
  out.connect_timeout = cluster.duration("connect_timeout", out.connect_timeout);
  if (cluster.has("connect_timeout") && out.connect_timeout.count() == 0)
    context.field_error(cluster, "connect_timeout", "must be greater than 0s");
  out.lb_policy = policy_of(cluster, context);
  build_endpoints(cluster, out, cluster.enumerator("type") <= 2 && !cluster.has("cluster_type"), context);
  out.dns_lookup_family = static_cast<Cluster::DnsFamily>(cluster.enumerator("dns_lookup_family"));
  out.dns_refresh_rate = cluster.duration("dns_refresh_rate", out.dns_refresh_rate);
  if (cluster.has("dns_refresh_rate") && cluster["dns_refresh_rate"].node().duration <= Milliseconds(1))
    context.field_error(cluster, "dns_refresh_rate", "must be greater than 0.001s");
  out.per_connection_buffer_limit_bytes =
      cluster.uint32("per_connection_buffer_limit_bytes", out.per_connection_buffer_limit_bytes);
  build_circuit_breakers(cluster, out);
  build_protocol(cluster, out, context);
  if (View socket = cluster["transport_socket"])
    out.tls = build_upstream_tls(socket, out.name, out.http2.has_value(), context);
  check_auto_config(cluster, out, context);
  if (out.http2 && out.tls && out.tls->alpn.empty()) out.tls->alpn = {"h2"};
  if (out.type == Cluster::Type::kLogicalDns && !cluster.has("load_assignment"))
    context.field_error(cluster, "load_assignment",
                        "a LOGICAL_DNS cluster must have exactly one endpoint, this one has none");
  out.metadata = build_metadata(cluster["metadata"]);
  return out;
}

}  // namespace inlay::config
