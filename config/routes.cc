// SPDX-License-Identifier: Apache-2.0
// config/route/v3 RouteConfiguration, VirtualHost, Route and RouteMatch. The actions are in route_actions.cc.
#include "base/ascii.h"
#include "config/leave_out.h"
#include "config/route_actions.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr std::string_view kFilterConfigNote =
    "config.route.v3.FilterConfig, which turns a filter off (`disabled: true`) or on (`config: {}`), CorsPolicy, and "
    "PerRouteConfig of jwt_authn";
constexpr std::string_view kSwitchType = "envoy.config.route.v3.FilterConfig";
constexpr std::string_view kCorsType = "envoy.extensions.filters.http.cors.v3.CorsPolicy";
constexpr std::string_view kJwtType = "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig";

constexpr FieldRule kRouteConfiguration[] = {
    {"name"},
    {"virtual_hosts"},
    {"request_headers_to_add"},
    {"request_headers_to_remove"},
    {"response_headers_to_add"},
    {"response_headers_to_remove"},
    {"internal_only_headers", Support::kYes, "taken from requests of strangers"},
    {"most_specific_header_mutations_wins"},
    {"validate_clusters"},
    {"max_direct_response_body_size_bytes"},
    {"ignore_port_in_host_matching"},
    {"typed_per_filter_config", Support::kYes, kFilterConfigNote},
    {"metadata", Support::kIgnored, "nothing in Inlay reads it"},
    {"vhds", Support::kNo, "write the `virtual_hosts` into the file"},
};
constexpr FieldRule kVirtualHost[] = {
    {"name"},
    {"domains"},
    {"routes"},
    {"require_tls", Support::kOnly, "use a `redirect` with `https_redirect`", "NONE"},
    {"virtual_clusters", Support::kIgnored, "they only name statistics"},
    {"request_headers_to_add"},
    {"request_headers_to_remove"},
    {"response_headers_to_add"},
    {"response_headers_to_remove"},
    {"typed_per_filter_config", Support::kYes, kFilterConfigNote},
    {"metadata"},
    {"cors"},
};
constexpr FieldRule kRoute[] = {
    {"name"},
    {"match"},
    {"route"},
    {"redirect"},
    {"direct_response"},
    {"metadata"},
    {"decorator", Support::kIgnored, "it concerns tracing only"},
    {"tracing", Support::kIgnored, "Inlay has no tracing"},
    {"stat_prefix", Support::kIgnored, "Inlay has no statistics of single routes"},
    {"typed_per_filter_config", Support::kYes, kFilterConfigNote},
    {"request_headers_to_add"},
    {"request_headers_to_remove"},
    {"response_headers_to_add"},
    {"response_headers_to_remove"},
};
constexpr FieldRule kRouteMatch[] = {
    {"prefix"},           {"path"}, {"safe_regex"},      {"path_separated_prefix"}, {"case_sensitive"}, {"headers"},
    {"query_parameters"}, {"grpc"}, {"connect_matcher"},
};
constexpr FieldRule kFilterConfig[] = {
    {"disabled"},
    {"config", Support::kYes, "`{}`, which turns the filter on, a CorsPolicy, or a PerRouteConfig"},
    {"is_optional", Support::kYes, "a `config` that is not supported is left out, with a warning"},
};
constexpr MessageRules kRules[] = {
    {"envoy.config.route.v3.RouteConfiguration", kRouteConfiguration},
    {"envoy.config.route.v3.VirtualHost", kVirtualHost},
    {"envoy.config.route.v3.Route", kRoute},
    {"envoy.config.route.v3.RouteMatch", kRouteMatch},
    {"envoy.config.route.v3.RouteMatch.ConnectMatcher", {}},
    {"envoy.config.route.v3.FilterConfig", kFilterConfig},
};

}  // namespace

std::span<const MessageRules> route_rules() {
  static const std::vector<MessageRules> rules = [] {
    std::vector<MessageRules> all(std::begin(kRules), std::end(kRules));
    const auto actions = route_action_rules();
    all.insert(all.end(), actions.begin(), actions.end());
    return all;
  }();
  return rules;
}

namespace {

void check_separated_prefix(View match, const std::string& value, BuildContext& context) {
  // validate.proto: ^[^?#]+[^?#/]$
  if (value.size() < 2 || value.ends_with('/') || value.find_first_of("?#") != std::string::npos) {
    context.field_error(match, "path_separated_prefix",
                        "must have at least two characters, must not end with `/` and must hold no `?` or `#`");
  }
}

}  // namespace

RouteMatch build_route_match(View match, BuildContext& context) {
  using Kind = RouteMatch::Kind;
  RouteMatch out;
  if (match.has("prefix")) {
    out.value = match.text("prefix");
  } else if (match.has("path")) {
    out.kind = Kind::kPath;
    out.value = match.text("path");
  } else if (match.has("safe_regex")) {
    out.kind = Kind::kSafeRegex;
    out.value = build_regex(match["safe_regex"], context);
  } else if (match.has("path_separated_prefix")) {
    out.kind = Kind::kPathSeparatedPrefix;
    out.value = match.text("path_separated_prefix");
    check_separated_prefix(match, out.value, context);
  } else if (match.has("connect_matcher")) {
    out.kind = Kind::kConnect;
  } else if (!match.has("path_match_policy")) {
    context.error(match, "needs one of `prefix`, `path`, `safe_regex`, `path_separated_prefix`, `connect_matcher`");
  }
  out.case_sensitive = match.boolean("case_sensitive", true);
  if (out.kind == Kind::kSafeRegex && match.has("case_sensitive") && !out.case_sensitive)
    context.report.warning(match["case_sensitive"].node(), "has no effect on `safe_regex`; use (?i) in it");
  for (View header : match.list("headers")) out.headers.push_back(build_header_matcher(header, context));
  for (View parameter : match.list("query_parameters"))
    out.query_parameters.push_back(build_query_parameter_matcher(parameter, context));
  out.grpc_only = match.has("grpc");
  return out;
}

namespace {

bool is_empty_map(const document::Source& source) {
  return source.kind == document::Source::Kind::kMap && source.entries.empty();
}

// What routes say of filters, from typed_per_filter_config.
struct FilterSettings {
  FilterSwitches& switches;
  std::vector<NamedCorsPolicy>& cors;
  std::vector<JwtRouteSetting>& jwt;
};

bool is_setting(std::string_view type) {
  return type == kCorsType || type == kJwtType;
}

// The settings of one filter, in a FilterConfig or by themselves: in Envoy it is on where it has some.
void build_filter_setting(View setting, const std::string& filter, FilterSettings out, BuildContext& context) {
  if (setting.node().message == nullptr) return;
  out.switches.push_back({filter, true});
  if (setting.node().any_type == kCorsType)
    out.cors.push_back({filter, build_cors_policy(setting, context)});
  else
    out.jwt.push_back(build_jwt_route_setting(setting, filter, context));
}

// What a FilterConfig does with its filter. Envoy refuses one that says nothing, so that nobody takes
// `disabled: false` for "on".
void build_filter_config(View config, const std::string& filter, FilterSettings out, BuildContext& context) {
  if (config.boolean("disabled")) {
    out.switches.push_back({filter, false});
    return;
  }
  const View settings = config["config"];
  const document::Source* source = config.node().source;
  const document::Source* given = source == nullptr ? nullptr : source->find("config");
  if (given == nullptr || given->kind == document::Source::Kind::kNull) {
    context.error(config, "does nothing: `disabled: true` turns the filter off, `config: {}` turns it on");
  } else if (is_empty_map(*given)) {
    out.switches.push_back({filter, true});
  } else if (settings && is_setting(settings.node().any_type)) {
    build_filter_setting(settings, filter, out, context);
  } else if (settings) {  // else it has its error already
    const std::string message = "a filter's settings of a route, of type " + document::quote(settings.node().any_type) +
                                ", are not something that Inlay supports; `config: {}` turns the filter on as it is";
    config.boolean("is_optional") ? context.report.warning(settings.node(), message)
                                  : context.report.error(settings.node(), message);
  }
}

void build_filter_settings(View message, FilterSettings out, BuildContext& context) {
  for (View entry : message.list("typed_per_filter_config")) {
    const std::string& filter = entry.node().key;
    if (is_left_out(context.options.leave_out, filter, entry.node().any_type)) {
      context.left_out.push_back(entry.node().path() + " (" + entry.node().any_type + ")");
      context.report.warning(entry.node(), "is left out with its filter");
      continue;
    }
    if (context.typed(entry, {kSwitchType, kCorsType, kJwtType}, "a route's filter setting") == nullptr) continue;
    if (entry.node().any_type == kSwitchType) {
      build_filter_config(entry, filter, out, context);
    } else {
      build_filter_setting(entry, filter, out, context);
    }
  }
}

Route build_route(View route, const RouteLimits& limits, BuildContext& context) {
  Route out;
  out.name = route.text("name");
  if (context.require(route, "match")) out.match = build_route_match(route["match"], context);
  if (View redirect = route["redirect"]) {
    out.action = build_redirect(redirect, context);
  } else if (View response = route["direct_response"]) {
    out.action = build_direct_response(response, limits, context);
  } else if (View action = route["route"]) {
    out.action = build_route_action(action, limits, context);
  } else if (!route.has("filter_action") && !route.has("non_forwarding_action")) {
    const document::Source* source = route.node().source;
    const auto stands = [&](std::string_view field) {  // and has its error already
      const document::Source* given = source == nullptr ? nullptr : source->find(field);
      return given != nullptr && given->kind != document::Source::Kind::kNull;
    };
    if (!stands("route") && !stands("redirect") && !stands("direct_response"))
      context.error(route, "needs one of `route`, `redirect`, `direct_response`");
  }
  out.request_headers = build_header_edits(route, "request", context);
  out.response_headers = build_header_edits(route, "response", context);
  out.metadata = build_metadata(route["metadata"]);
  build_filter_settings(route, {out.filter_switches, out.cors_policies, out.jwt_settings}, context);
  return out;
}

// One domain: "a.b", "*.b", "a.*" or "*".
void check_domain(View at, const std::string& domain, BuildContext& context) {
  const size_t star = domain.find('*');
  const bool ends = !domain.empty() && (star == 0 || star == domain.size() - 1);
  if (star != std::string::npos && (!ends || domain.find('*', star + 1) != std::string::npos)) {
    context.report.warning(at.node(), document::quote(domain) +
                                          " has a `*` that stands for itself, as in Envoy: only the "
                                          "first or the last character stands for others");
  } else if (domain.find_first_of(std::string_view("\0\r\n", 3)) != std::string::npos) {
    context.error(at, "must not hold a line break or a NUL");
  }
}

VirtualHost build_virtual_host(View host, const RouteLimits& limits, BuildContext& context) {
  VirtualHost out;
  out.name = host.text("name");
  context.require(host, "name");
  context.require(host, "domains");
  for (View domain : host.list("domains")) {
    check_domain(domain, domain.node().text, context);
    out.domains.push_back(lower(domain.node().text));
  }
  for (View route : host.list("routes")) out.routes.push_back(build_route(route, limits, context));
  out.request_headers = build_header_edits(host, "request", context);
  out.response_headers = build_header_edits(host, "response", context);
  out.metadata = build_metadata(host["metadata"]);
  build_filter_settings(host, {out.filter_switches, out.cors_policies, out.jwt_settings}, context);
  if (View cors = host["cors"]) out.cors = build_cors_policy(cors, context);
  return out;
}

}  // namespace

RouteConfiguration build_route_configuration(View routes, BuildContext& context) {
  RouteConfiguration out;
  out.name = routes.text("name");
  const RouteLimits limits{routes.boolean("validate_clusters", true),
                           routes.uint32("max_direct_response_body_size_bytes", 4096)};
  std::map<std::string, std::string> domains;
  for (View host : routes.list("virtual_hosts")) {
    out.virtual_hosts.push_back(build_virtual_host(host, limits, context));
    for (View domain : host.list("domains")) {
      auto [it, fresh] = domains.emplace(lower(domain.node().text), domain.node().path());
      if (!fresh)
        context.error(domain, document::quote(domain.node().text) + " stands in " + it->second +
                                  " already; each domain can be in one virtual host only");
    }
  }
  out.request_headers = build_header_edits(routes, "request", context);
  out.response_headers = build_header_edits(routes, "response", context);
  out.most_specific_header_mutations_wins = routes.boolean("most_specific_header_mutations_wins");
  out.ignore_port_in_host_matching = routes.boolean("ignore_port_in_host_matching");
  for (const std::string& name : routes.texts("internal_only_headers"))
    out.internal_only_headers.push_back(lower(name));
  build_filter_settings(routes, {out.filter_switches, out.cors_policies, out.jwt_settings}, context);
  return out;
}

}  // namespace inlay::config
