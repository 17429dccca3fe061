// SPDX-License-Identifier: Apache-2.0
// extensions/filters/network/http_connection_manager/v3 HttpConnectionManager and HttpFilter; the router filter.
#include <algorithm>

#include "config/builders.h"
#include "config/leave_out.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr std::string_view kWasmType = "envoy.extensions.filters.http.wasm.v3.Wasm";
constexpr std::string_view kCorsType = "envoy.extensions.filters.http.cors.v3.Cors";
constexpr std::string_view kGrpcWebType = "envoy.extensions.filters.http.grpc_web.v3.GrpcWeb";
constexpr std::string_view kJwtAuthnType = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
constexpr std::string_view kRouterType = "envoy.extensions.filters.http.router.v3.Router";

constexpr FieldRule kManager[] = {
    {"codec_type", Support::kYes, "AUTO, HTTP1 and HTTP2"},
    {"stat_prefix"},
    {"route_config"},
    {"rds", Support::kNo, "write the routes into `route_config`"},
    {"scoped_routes", Support::kNo, "write the routes into `route_config`"},
    {"http_filters", Support::kYes, "Wasm, Cors, GrpcWeb, JwtAuthentication and, as the last one, Router"},
    {"add_user_agent", Support::kOnly, "", "false"},
    {"tracing", Support::kIgnored, "Inlay has no tracing"},
    {"common_http_protocol_options"},
    {"http1_safe_max_connection_duration", Support::kIgnored, "closing is always announced by `connection: close`"},
    {"http_protocol_options"},
    {"http2_protocol_options"},
    {"server_name"},
    {"server_header_transformation"},
    {"max_request_headers_kb"},
    {"stream_idle_timeout"},
    {"stream_flush_timeout", Support::kIgnored, "`stream_idle_timeout` covers it"},
    {"request_timeout"},
    {"request_headers_timeout"},
    {"drain_timeout"},
    {"delayed_close_timeout"},
    {"access_log"},
    {"access_log_options", Support::kIgnored, "a request is logged when it has ended"},
    {"access_log_flush_interval", Support::kIgnored, "a request is logged when it has ended"},
    {"flush_access_log_on_new_request", Support::kIgnored, "a request is logged when it has ended"},
    {"use_remote_address"},
    {"xff_num_trusted_hops"},
    {"skip_xff_append"},
    {"scheme_header_transformation"},
    {"internal_address_config"},
    {"via"},
    {"generate_request_id"},
    {"preserve_external_request_id"},
    {"always_set_request_id_in_response"},
    {"proxy_100_continue"},
    {"forward_client_cert_details", Support::kOnly, "", "SANITIZE"},
    {"normalize_path"},
    {"merge_slashes"},
    {"path_with_escaped_slashes_action", Support::kYes,
     "with UNESCAPE_AND_REDIRECT, `/.` stands before a location that would name another server (`//name`)"},
    {"strip_matching_host_port"},
    {"strip_any_host_port"},
    {"strip_trailing_host_dot"},
    {"local_reply_config", Support::kNo, "remove it; local replies have Envoy's default form"},
    {"upgrade_configs"},
};
constexpr FieldRule kInternalAddresses[] = {
    {"unix_sockets", Support::kYes, "the clients of a `pipe`, with `use_remote_address`"},
    {"cidr_ranges"},
};
constexpr FieldRule kScheme[] = {{"scheme_to_overwrite"}, {"match_upstream"}};
constexpr FieldRule kCommonOptions[] = {
    {"idle_timeout"},        {"max_connection_duration"},         {"max_headers_count"},
    {"max_stream_duration"}, {"headers_with_underscores_action"}, {"max_requests_per_connection"},
};
constexpr FieldRule kHttp1Options[] = {
    {"allow_absolute_url", Support::kOnly, "", "true"},
    {"accept_http_10"},
    {"allow_custom_methods"},
    {"default_host_for_http_10"},
    {"enable_trailers"},
    {"use_balsa_parser", Support::kIgnored, "Inlay has one parser"},
    {"header_key_format", Support::kNo, "header names are written in lower case"},
};
constexpr FieldRule kHttpFilter[] = {
    {"name"},
    {"typed_config"},
    {"config_discovery", Support::kNo, "write the filter's configuration into `typed_config`"},
    {"is_optional", Support::kYes, "an optional filter of a type that Inlay does not have is left out, with a warning"},
    {"disabled"},
};
constexpr FieldRule kRouter[] = {
    {"dynamic_stats", Support::kIgnored, "Inlay's statistics of clusters are always kept"},
    {"start_child_span", Support::kIgnored, "Inlay has no tracing"},
    {"suppress_envoy_headers"},
    {"upstream_log", Support::kIgnored, "Inlay logs requests in the connection manager's `access_log` only"},
    {"upstream_log_options", Support::kIgnored, "Inlay logs requests in the connection manager's `access_log` only"},
    {"suppress_grpc_request_failure_code_stats", Support::kIgnored, "it concerns statistics only"},
};
constexpr MessageRules kRules[] = {
    {"envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", kManager},
    {"envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.InternalAddressConfig",
     kInternalAddresses},
    {"envoy.config.core.v3.SchemeHeaderTransformation", kScheme},
    {"envoy.config.core.v3.HttpProtocolOptions", kCommonOptions},
    {"envoy.config.core.v3.Http1ProtocolOptions", kHttp1Options},
    {"envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter", kHttpFilter},
    {"envoy.extensions.filters.http.grpc_web.v3.GrpcWeb", {}},
    {"envoy.extensions.filters.http.router.v3.Router", kRouter},
};

// Timeouts of the manager and where they go.
struct TimeoutField {
  std::string_view field;
  Milliseconds HttpConnectionManager::*member;
};
constexpr TimeoutField kTimeouts[] = {
    {"stream_idle_timeout", &HttpConnectionManager::stream_idle_timeout},
    {"request_timeout", &HttpConnectionManager::request_timeout},
    {"request_headers_timeout", &HttpConnectionManager::request_headers_timeout},
    {"delayed_close_timeout", &HttpConnectionManager::delayed_close_timeout},
    {"drain_timeout", &HttpConnectionManager::drain_timeout},
};
constexpr TimeoutField kCommonTimeouts[] = {
    {"idle_timeout", &HttpConnectionManager::idle_timeout},
    {"max_connection_duration", &HttpConnectionManager::max_connection_duration},
    {"max_stream_duration", &HttpConnectionManager::max_stream_duration},
};

void build_common_options(View options, HttpConnectionManager& out, BuildContext& context) {
  for (const TimeoutField& timeout : kCommonTimeouts)
    out.*timeout.member = options.duration(timeout.field, out.*timeout.member);
  out.max_headers_count = options.uint32("max_headers_count", out.max_headers_count);
  if (options.has("max_headers_count") && out.max_headers_count == 0)
    context.field_error(options, "max_headers_count", "must be at least 1");
  out.max_requests_per_connection = options.uint32("max_requests_per_connection");
  out.headers_with_underscores =
      static_cast<HttpConnectionManager::UnderscoreAction>(options.enumerator("headers_with_underscores_action"));
}

// Envoy's 0, as when it is not set, is its 1: KEEP_UNCHANGED.
HttpConnectionManager::EscapedSlashes escaped_slashes_action(int64_t value) {
  return static_cast<HttpConnectionManager::EscapedSlashes>(std::max<int64_t>(value, 1) - 1);
}

void build_switches(View manager, HttpConnectionManager& out) {
  const View http1 = manager["http_protocol_options"];
  out.enable_trailers = http1.boolean("enable_trailers");
  out.accept_http_10 = http1.boolean("accept_http_10");
  out.allow_custom_methods = http1.boolean("allow_custom_methods");
  out.proxy_100_continue = manager.boolean("proxy_100_continue");
  out.default_host_for_http_10 = http1.text("default_host_for_http_10");
  out.use_remote_address = manager.boolean("use_remote_address");
  out.xff_num_trusted_hops = manager.uint32("xff_num_trusted_hops");
  out.skip_xff_append = manager.boolean("skip_xff_append");
  out.generate_request_id = manager.boolean("generate_request_id", true);
  out.preserve_external_request_id = manager.boolean("preserve_external_request_id");
  out.always_set_request_id_in_response = manager.boolean("always_set_request_id_in_response");
  out.normalize_path = manager.boolean("normalize_path");
  out.merge_slashes = manager.boolean("merge_slashes");
  out.escaped_slashes = escaped_slashes_action(manager.enumerator("path_with_escaped_slashes_action"));
  out.strip_matching_host_port = manager.boolean("strip_matching_host_port");
  out.strip_any_host_port = manager.boolean("strip_any_host_port");
  out.strip_trailing_host_dot = manager.boolean("strip_trailing_host_dot");
  out.via = manager.text("via");
}

void build_scheme(View transformation, HttpConnectionManager& out, BuildContext& context) {
  out.scheme_to_overwrite = transformation.text("scheme_to_overwrite");
  out.scheme_matches_upstream = transformation.boolean("match_upstream");
  if (transformation.has("scheme_to_overwrite") && out.scheme_to_overwrite != "http" &&
      out.scheme_to_overwrite != "https")
    context.field_error(transformation, "scheme_to_overwrite", "must be `http` or `https`");
}

void check_header_text(View manager, std::string_view field, BuildContext& context) {
  if (manager.text(field).find_first_of(std::string_view("\0\r\n", 3)) != std::string::npos)
    context.field_error(manager, field, "must not hold a line break or a NUL");
}

// Envoys before 1.22 found the router by its name alone, and many a file was written then.
bool is_router_by_name(View filter) {
  const std::string name = filter.text("name");
  if (filter.has("typed_config") || filter.has("config_discovery")) return false;
  return name == "envoy.filters.http.router" || name == "envoy.router";
}

bool is_known(std::string_view type) {
  return type == kWasmType || type == kCorsType || type == kGrpcWebType || type == kJwtAuthnType || type == kRouterType;
}

// Reads one filter; false when it is left out.
bool build_filter(View filter, HttpFilter& out, BuildContext& context) {
  out.name = filter.text("name");
  out.disabled = filter.boolean("disabled");
  context.require(filter, "name");
  if (is_router_by_name(filter)) {
    context.report.warning(filter.node(),
                           "has no `typed_config`, which Envoy demands since 1.22; taken for the router (" +
                               std::string(kRouterType) + ") by its name");
    out.config = RouterFilter{};
    return true;
  }
  if (filter.has("config_discovery") || !context.require(filter, "typed_config")) return true;
  const View config = filter["typed_config"];
  const std::string& type = config.node().any_type;
  if (filter.boolean("is_optional") && !is_known(type)) {
    context.report.warning(filter.node(), "the optional filter of type " + document::quote(type) +
                                              " is left out: Inlay does not support it");
    return false;
  }
  const TreeNode* node = context.typed_or_left_out(
      filter, {kWasmType, kCorsType, kGrpcWebType, kJwtAuthnType, kRouterType}, "an HTTP filter");
  if (node == nullptr) return !is_left_out(context.options.leave_out, out.name, type);
  if (type == kWasmType) {
    out.config = build_wasm(View(node), context);
  } else if (type == kCorsType) {
    out.config = CorsFilter{};
  } else if (type == kGrpcWebType) {
    out.config = GrpcWebFilter{};
  } else if (type == kJwtAuthnType) {
    out.config = build_jwt_authn(View(node), context);
  } else {
    out.config = RouterFilter{View(node).boolean("suppress_envoy_headers")};
  }
  return true;
}

// Of a type that Inlay does not have the reader of the filter has said so.
bool known_type(View filter) {
  const View config = filter["typed_config"];
  if (!config) return false;
  return is_known(config.node().any_type) && config.node().any_type != kRouterType;
}

void build_filters(View manager, HttpConnectionManager& out, BuildContext& context) {
  const std::vector<View> filters = manager.list("http_filters");
  if (filters.empty()) {
    context.report.warning(manager.node(),
                           "has no `http_filters`, so that no request is ever answered, as in Envoy; the router (" +
                               std::string(kRouterType) + ") would send them on");
    return;
  }
  for (size_t i = 0; i < filters.size(); ++i) {
    const View filter = filters[i];
    HttpFilter built;
    const bool keep = build_filter(filter, built, context);
    const bool router =
        is_router_by_name(filter) || (filter["typed_config"] && filter["typed_config"].node().any_type == kRouterType);
    const bool last = i + 1 == filters.size();
    if (router && !last) context.error(filter, "the router ends the chain: it must be the last of `http_filters`");
    if (!router && last && (known_type(filter) || !keep))
      context.error(filter, "the last of `http_filters` must be the router (" + std::string(kRouterType) + ")");
    if (router && built.disabled) context.field_error(filter, "disabled", "the router cannot be disabled");
    if (keep) out.http_filters.push_back(std::move(built));
  }
}

}  // namespace

std::span<const MessageRules> http_connection_manager_rules() {
  return kRules;
}

HttpConnectionManager build_http_connection_manager(View manager, BuildContext& context) {
  HttpConnectionManager out;
  out.stat_prefix = manager.text("stat_prefix");
  context.require(manager, "stat_prefix");
  const int64_t codec = manager.enumerator("codec_type");
  if (codec > 2)
    context.field_error(
        manager, "codec_type",
        "`" + manager.text("codec_type") + "` is valid, but Inlay does not support it yet; use AUTO, HTTP1 or HTTP2");
  else
    out.codec_type = static_cast<HttpConnectionManager::CodecType>(codec);
  out.http2 = build_http2_options(manager["http2_protocol_options"], context);
  if (!manager.has("rds") && !manager.has("scoped_routes") && context.require(manager, "route_config"))
    out.route_config = build_route_configuration(manager["route_config"], context);
  if (const std::string name = manager.text("server_name"); !name.empty()) out.server_name = name;
  for (std::string_view field : {"server_name", "via"}) check_header_text(manager, field, context);
  out.server_header =
      static_cast<HttpConnectionManager::ServerHeader>(manager.enumerator("server_header_transformation"));
  for (const TimeoutField& timeout : kTimeouts)
    out.*timeout.member = manager.duration(timeout.field, out.*timeout.member);
  out.max_request_headers_kb = manager.uint32("max_request_headers_kb", out.max_request_headers_kb);
  if (manager.has("max_request_headers_kb") && (out.max_request_headers_kb == 0 || out.max_request_headers_kb > 8192))
    context.field_error(manager, "max_request_headers_kb", "must be from 1 to 8192");
  build_common_options(manager["common_http_protocol_options"], out, context);
  build_switches(manager, out);
  build_scheme(manager["scheme_header_transformation"], out, context);
  const View internal = manager["internal_address_config"];
  out.internal_pipes = internal.boolean("unix_sockets");
  for (View range : internal.list("cidr_ranges")) out.internal_addresses.push_back(build_cidr_range(range, context));
  if (out.strip_matching_host_port && out.strip_any_host_port) {
    context.field_error(manager, "strip_any_host_port",
                        "only one of `strip_matching_host_port` and `strip_any_host_port` can be set");
  }
  build_filters(manager, out, context);
  out.upgrades = build_upgrades(manager, false, context);
  for (View log : manager.list("access_log")) {
    if (auto built = build_access_log(log, context)) out.access_logs.push_back(*std::move(built));
  }
  return out;
}

}  // namespace inlay::config
