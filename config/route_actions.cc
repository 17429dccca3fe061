// SPDX-License-Identifier: Apache-2.0
// config/route/v3 RouteAction, RedirectAction, DirectResponseAction.
#include "config/route_actions.h"
#include "base/ascii.h"

#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr FieldRule kRouteAction[] = {
    {"cluster"},
    {"cluster_header"},
    {"weighted_clusters"},
    {"cluster_not_found_response_code"},
    {"timeout"},
    {"idle_timeout"},
    {"max_stream_duration"},
    {"max_grpc_timeout"},
    {"grpc_timeout_offset"},
    {"prefix_rewrite"},
    {"regex_rewrite"},
    {"host_rewrite_literal"},
    {"auto_host_rewrite"},
    {"cors"},
    {"upgrade_configs"},
    {"priority", Support::kOnly, "", "DEFAULT"},
    {"retry_policy", Support::kNo, "remove it; a request is sent once"},
};
constexpr FieldRule kWeighted[] = {
    {"clusters"},
    {"total_weight", Support::kIgnored, "the weights' sum counts, as in Envoy"},
    {"runtime_key_prefix", Support::kIgnored, "there is no runtime"},
    {"header_name", Support::kNo, "a lot is drawn for each request"},
    {"use_hash_policy", Support::kNo, "a lot is drawn for each request"},
};
constexpr FieldRule kClusterWeight[] = {
    {"name"},
    {"cluster_header", Support::kNo, "use `name`"},
    {"weight"},
    {"request_headers_to_add"},
    {"request_headers_to_remove"},
    {"response_headers_to_add"},
    {"response_headers_to_remove"},
};
constexpr FieldRule kMaxStreamDuration[] = {
    {"max_stream_duration"},
    {"grpc_timeout_header_max"},
    {"grpc_timeout_header_offset"},
};
constexpr FieldRule kRedirectAction[] = {
    {"https_redirect"}, {"scheme_redirect"}, {"host_redirect"}, {"port_redirect"}, {"path_redirect"},
    {"prefix_rewrite"}, {"regex_rewrite"},   {"response_code"}, {"strip_query"},
};
constexpr FieldRule kDirectResponseAction[] = {{"status"}, {"body"}};
constexpr MessageRules kRules[] = {
    {"envoy.config.route.v3.RouteAction", kRouteAction},
    {"envoy.config.route.v3.RouteAction.MaxStreamDuration", kMaxStreamDuration},
    {"envoy.config.route.v3.WeightedCluster", kWeighted},
    {"envoy.config.route.v3.WeightedCluster.ClusterWeight", kClusterWeight},
    {"envoy.config.route.v3.RedirectAction", kRedirectAction},
    {"envoy.config.route.v3.DirectResponseAction", kDirectResponseAction},
};

void check_cluster(View action, const RouteLimits& limits, BuildContext& context) {
  const std::string name = action.text("cluster");
  if (!context.require(action, "cluster") || !limits.validate_clusters || context.clusters.contains(name)) return;
  context.field_error(action, "cluster", context.unknown_cluster(name));
}

// As Envoy's router: some weight, and no more than 32 bits have.
std::vector<WeightedCluster> build_weighted(View weighted, const RouteLimits& limits, BuildContext& context) {
  std::vector<WeightedCluster> out;
  uint64_t sum = 0;
  context.require(weighted, "clusters");
  for (View one : weighted.list("clusters")) {
    WeightedCluster built;
    built.cluster = one.text("name");
    if (!one.has("cluster_header") && context.require(one, "name") && limits.validate_clusters &&
        !context.clusters.contains(built.cluster))
      context.field_error(one, "name", context.unknown_cluster(built.cluster));
    built.weight = one.uint32("weight");
    context.require(one, "weight");
    sum += built.weight;
    built.request_headers = build_header_edits(one, "request", context);
    built.response_headers = build_header_edits(one, "response", context);
    out.push_back(std::move(built));
  }
  if (!out.empty() && (sum == 0 || sum > 0xffffffff))
    context.field_error(weighted, "clusters",
                        "have weights of " + std::to_string(sum) + " together; from 1 to 4294967295");
  return out;
}

std::optional<Milliseconds> optional_duration(View message, std::string_view field) {
  if (!message.has(field)) return std::nullopt;
  return message.duration(field, {});
}

void build_durations(View action, RouteAction& out) {
  out.timeout = action.duration("timeout", out.timeout);
  out.idle_timeout = optional_duration(action, "idle_timeout");
  out.max_grpc_timeout = optional_duration(action, "max_grpc_timeout");
  out.grpc_timeout_offset = optional_duration(action, "grpc_timeout_offset");
  if (View limit = action["max_stream_duration"]) {
    out.max_stream_duration = {optional_duration(limit, "max_stream_duration"),
                               optional_duration(limit, "grpc_timeout_header_max"),
                               optional_duration(limit, "grpc_timeout_header_offset")};
  }
}

// Line breaks in a value that becomes part of a header.
void check_header_value(View message, std::string_view field, BuildContext& context) {
  if (message.text(field).find_first_of(std::string_view("\0\r\n", 3)) != std::string::npos)
    context.field_error(message, field, "must not hold a line break or a NUL");
}

}  // namespace

std::span<const MessageRules> route_action_rules() {
  return kRules;
}

RouteAction build_route_action(View action, const RouteLimits& limits, BuildContext& context) {
  static constexpr uint32_t kNotFoundCodes[] = {503, 404, 500};
  static constexpr std::string_view kOthers[] = {"cluster_specifier_plugin", "inline_cluster_specifier_plugin"};
  RouteAction out;
  bool other = false;
  for (std::string_view field : kOthers) other = other || action.has(field);
  if (action.has("cluster_header")) {
    out.cluster_header = lower(action.text("cluster_header"));
    if (context.require(action, "cluster_header") && !is_header_name(out.cluster_header, true))
      context.field_error(action, "cluster_header", document::quote(out.cluster_header) + " is not a header name");
  } else if (action.has("cluster")) {
    out.cluster = action.text("cluster");
    check_cluster(action, limits, context);
  } else if (View weighted = action["weighted_clusters"]) {
    out.weighted_clusters = build_weighted(weighted, limits, context);
  } else if (!other) {
    context.require(action, "cluster");
  }
  out.cluster_not_found_response_code = kNotFoundCodes[action.enumerator("cluster_not_found_response_code")];
  build_durations(action, out);
  for (std::string_view field : {"prefix_rewrite", "host_rewrite_literal"}) check_header_value(action, field, context);
  out.prefix_rewrite = action.text("prefix_rewrite");
  if (View rewrite = action["regex_rewrite"]) {
    out.regex_rewrite = build_regex_rewrite(rewrite, context);
    if (!out.prefix_rewrite.empty())
      context.error(rewrite, "only one of `prefix_rewrite` and `regex_rewrite` can be set");
  }
  out.host_rewrite_literal = action.text("host_rewrite_literal");
  out.auto_host_rewrite = action.boolean("auto_host_rewrite");
  if (View cors = action["cors"]) out.cors = build_cors_policy(cors, context);
  out.upgrades = build_upgrades(action, true, context);
  return out;
}

RedirectAction build_redirect(View redirect, BuildContext& context) {
  static constexpr uint32_t kCodes[] = {301, 302, 303, 307, 308};
  RedirectAction out;
  for (std::string_view field : {"scheme_redirect", "host_redirect", "path_redirect", "prefix_rewrite"})
    check_header_value(redirect, field, context);
  out.https_redirect = redirect.boolean("https_redirect");
  out.scheme_redirect = redirect.text("scheme_redirect");
  out.host_redirect = redirect.text("host_redirect");
  out.port_redirect = redirect.uint32("port_redirect");
  if (out.port_redirect > 65535) context.field_error(redirect, "port_redirect", "must be at most 65535");
  out.path_redirect = redirect.text("path_redirect");
  out.prefix_rewrite = redirect.text("prefix_rewrite");
  if (View rewrite = redirect["regex_rewrite"]) out.regex_rewrite = build_regex_rewrite(rewrite, context);
  out.response_code = kCodes[redirect.enumerator("response_code")];
  out.strip_query = redirect.boolean("strip_query");
  return out;
}

DirectResponseAction build_direct_response(View response, const RouteLimits& limits, BuildContext& context) {
  DirectResponseAction out;
  out.status = response.uint32("status");
  if (context.require(response, "status") && (out.status < 200 || out.status > 599))
    context.field_error(response, "status", "must be from 200 to 599, is " + std::to_string(out.status));
  if (View body = response["body"]) {
    auto data = read_data_source(body, limits.largest_direct_response, out.body_file, context);
    if (data) out.body = std::move(data->bytes);
  }
  return out;
}

}  // namespace inlay::config
