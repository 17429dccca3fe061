// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/route_table.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/ascii.h"
#include "match/string_matcher.h"

namespace inlay::proxy::router {
namespace {

using http::HeaderId;
using Kind = config::RouteMatch::Kind;

std::string_view without_port(std::string_view authority) {
  const size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos) return authority;
  const size_t bracket = authority.rfind(']');
  if (bracket != std::string_view::npos && bracket > colon) return authority;  // an IPv6 address without a port
  return authority.substr(0, colon);
}

void set_action(RouteEntry& entry) {
  entry.route = std::get_if<config::RouteAction>(&entry.config->action);
  entry.redirect = std::get_if<config::RedirectAction>(&entry.config->action);
  entry.direct_response = std::get_if<config::DirectResponseAction>(&entry.config->action);
  if (entry.direct_response != nullptr && entry.direct_response->body_file)
    entry.followed_body =
        std::make_shared<FollowedFile>(*entry.direct_response->body_file, entry.direct_response->body);
}

const std::optional<config::RouteAction::RegexRewrite>* regex_rewrite(const RouteEntry& entry) {
  if (entry.route != nullptr) return &entry.route->regex_rewrite;
  if (entry.redirect != nullptr) return &entry.redirect->regex_rewrite;
  return nullptr;
}

// The most specific first. Envoy 1.40 looks at the fields where no typed_per_filter_config names the filter.
Result<Unit> compile_cors(RouteEntry& entry, const config::RouteConfiguration& config,
                          const config::VirtualHost& virtual_host, const config::Route& route) {
  std::vector<std::pair<std::string, std::vector<const config::CorsPolicy*>>> by_filter;
  for (const auto* level : {&route.cors_policies, &virtual_host.cors_policies, &config.cors_policies}) {
    for (const config::NamedCorsPolicy& named : *level) {
      auto at =
          std::find_if(by_filter.begin(), by_filter.end(), [&](const auto& e) { return e.first == named.filter; });
      if (at == by_filter.end()) at = by_filter.insert(at, {named.filter, {}});
      at->second.push_back(&named.policy);
    }
  }
  for (auto& [filter, policies] : by_filter) {
    INLAY_TRY(auto compiled, CorsPolicies::compile(std::move(policies)));
    entry.cors.emplace_back(filter, std::move(compiled));
  }
  std::vector<const config::CorsPolicy*> fields;
  if (entry.route != nullptr && entry.route->cors) fields.push_back(&*entry.route->cors);
  if (virtual_host.cors) fields.push_back(&*virtual_host.cors);
  INLAY_TRY(entry.cors_of_fields, CorsPolicies::compile(std::move(fields)));
  return Unit{};
}

Result<Unit> compile_weighted(RouteEntry& entry, const RouteTable::FindCluster& find_cluster) {
  for (const config::WeightedCluster& one : entry.route->weighted_clusters) {
    RouteEntry::Weighted& made = entry.weighted.emplace_back();
    made.config = &one;
    made.cluster = find_cluster(one.cluster);
    const config::HeaderEdits* request[] = {&one.request_headers};
    const config::HeaderEdits* response[] = {&one.response_headers};
    INLAY_TRY(made.request_edits, HeaderEdits::compile(request));
    INLAY_TRY(made.response_edits, HeaderEdits::compile(response));
  }
  return Unit{};
}

Result<RouteEntry> compile_route(const config::RouteConfiguration& config, const config::VirtualHost& virtual_host,
                                 const config::Route& route, const RouteTable::FindCluster& find_cluster) {
  RouteEntry entry;
  entry.config = &route;
  entry.virtual_host = &virtual_host;
  set_action(entry);
  INLAY_TRY(entry.matcher, RouteMatcher::compile(route.match));
  if (const auto* rewrite = regex_rewrite(entry); rewrite != nullptr && rewrite->has_value()) {
    INLAY_TRY(entry.rewrite_regex, match::compile_regex((*rewrite)->pattern));
    std::string why;
    if (!entry.rewrite_regex->CheckRewriteString((*rewrite)->substitution, &why)) {
      return Error{ErrorCode::kInvalidArgument, "regex_rewrite substitution '" + (*rewrite)->substitution + "': " + why,
                   ""};
    }
  }
  if (entry.route != nullptr) {
    if (!entry.route->cluster.empty()) entry.cluster = find_cluster(entry.route->cluster);
    INLAY_RETURN_IF_ERROR(compile_weighted(entry, find_cluster));
  }
  INLAY_RETURN_IF_ERROR(compile_cors(entry, config, virtual_host, route));

  for (const auto* switches : {&route.filter_switches, &virtual_host.filter_switches, &config.filter_switches})
    entry.filter_switches.insert(entry.filter_switches.end(), switches->begin(), switches->end());

  for (const auto* settings : {&route.jwt_settings, &virtual_host.jwt_settings, &config.jwt_settings})
    for (const config::JwtRouteSetting& setting : *settings) entry.jwt_settings.push_back(&setting);

  std::vector<const config::HeaderEdits*> request = {&route.request_headers, &virtual_host.request_headers,
                                                     &config.request_headers};
  std::vector<const config::HeaderEdits*> response = {&route.response_headers, &virtual_host.response_headers,
                                                      &config.response_headers};
  if (config.most_specific_header_mutations_wins) {
    std::reverse(request.begin(), request.end());
    std::reverse(response.begin(), response.end());
  }
  INLAY_TRY(entry.request_edits, HeaderEdits::compile(request));
  INLAY_TRY(entry.response_edits, HeaderEdits::compile(response));
  return entry;
}

}  // namespace

std::optional<bool> RouteEntry::filter_switch(std::string_view filter) const {
  for (const config::FilterSwitch& entry : filter_switches)
    if (entry.filter == filter) return entry.on;
  return std::nullopt;
}

const CorsPolicies& RouteEntry::cors_policies(std::string_view filter) const {
  for (const auto& [name, policies] : cors)
    if (name == filter) return policies;
  return cors_of_fields;
}

const config::JwtRouteSetting* RouteEntry::jwt_setting(std::string_view filter) const {
  for (const config::JwtRouteSetting* setting : jwt_settings)
    if (setting->filter == filter) return setting;
  return nullptr;
}

const RouteEntry::Weighted& RouteEntry::choose(uint64_t lot) const {
  uint64_t sum = 0;
  for (const Weighted& one : weighted) sum += one.config->weight;
  lot %= std::max<uint64_t>(sum, 1);  // the configuration's is more than 0
  for (const Weighted& one : weighted) {
    if (lot < one.config->weight) return one;
    lot -= one.config->weight;
  }
  return weighted.back();
}

bool RouteEntry::rewrite_path(std::string_view path_and_query, std::string& out) const {
  const std::string& prefix = route != nullptr ? route->prefix_rewrite : redirect->prefix_rewrite;
  const size_t question = std::min(path_and_query.find('?'), path_and_query.size());
  const std::string_view path = path_and_query.substr(0, question);
  const std::string_view query = path_and_query.substr(question);
  if (!prefix.empty()) {
    // What was matched is replaced: the prefix, or for a path or regex match the whole path.
    const bool by_prefix = config->match.kind == Kind::kPrefix || config->match.kind == Kind::kPathSeparatedPrefix;
    const size_t matched = by_prefix ? std::min(config->match.value.size(), path.size()) : path.size();
    out.assign(prefix);
    out.append(path.substr(matched));
    out.append(query);
    return true;
  }
  if (rewrite_regex) {
    out.assign(path);
    re2::RE2::GlobalReplace(&out, *rewrite_regex, (*regex_rewrite(*this))->substitution);
    out.append(query);
    return true;
  }
  return false;
}

Result<std::shared_ptr<const RouteTable>> RouteTable::compile(const config::RouteConfiguration& config,
                                                              const FindCluster& find_cluster) {
  auto table = std::make_shared<RouteTable>();
  table->config_ = &config;
  for (const config::VirtualHost& virtual_host : config.virtual_hosts) {
    Host host{&virtual_host, {}};
    for (size_t i = 0; i < virtual_host.routes.size(); ++i) {
      const config::Route& route = virtual_host.routes[i];
      auto entry = compile_route(config, virtual_host, route, find_cluster);
      if (!entry) {
        Error error = entry.error();
        error.where = "virtual host '" + virtual_host.name + "', route " +
                      (route.name.empty() ? "#" + std::to_string(i + 1) : "'" + route.name + "'") +
                      (error.where.empty() ? "" : ", " + error.where);
        return error;
      }
      const config::RouteAction* action = entry->route;
      table->limits_streams_ =
          table->limits_streams_ || (action != nullptr && (action->idle_timeout || action->max_stream_duration));
      table->switches_filters_ = table->switches_filters_ || !entry->filter_switches.empty();
      if (entry->followed_body) table->followed_files_.push_back(entry->followed_body);
      host.routes.push_back(*std::move(entry));
    }
    for (const std::string& domain : virtual_host.domains) table->add_domain(domain, table->hosts_.size());
    table->hosts_.push_back(std::move(host));
  }
  return std::shared_ptr<const RouteTable>(std::move(table));
}

void RouteTable::add_domain(const std::string& domain, size_t host) {
  const auto add_wildcard = [&](std::vector<Wildcards>& all, std::string name) {
    auto at = std::find_if(all.begin(), all.end(), [&](const Wildcards& w) { return w.length <= name.size(); });
    if (at == all.end() || at->length != name.size()) at = all.insert(at, {name.size(), {}});
    at->names.emplace(std::move(name), host);
  };
  if (domain == "*") {
    if (!any_) any_ = host;
  } else if (domain.starts_with('*')) {
    add_wildcard(suffixes_, domain.substr(1));
  } else if (domain.ends_with('*')) {
    add_wildcard(prefixes_, domain.substr(0, domain.size() - 1));
  } else {
    exact_.emplace(domain, host);
  }
}

const RouteTable::Host* RouteTable::find_host(std::string_view authority) const {
  const auto any = [&]() -> const Host* { return any_ ? &hosts_[*any_] : nullptr; };
  if (exact_.empty() && suffixes_.empty() && prefixes_.empty()) return any();
  if (config_->ignore_port_in_host_matching) authority = without_port(authority);
  char short_name[256];
  std::string long_name;  // longer than any domain name, but a wildcard matches it all the same
  char* lowered = short_name;
  if (authority.size() > sizeof short_name) [[unlikely]] {
    long_name.resize(authority.size());
    lowered = long_name.data();
  }
  std::transform(authority.begin(), authority.end(), lowered, to_lower);
  const std::string_view name(lowered, authority.size());
  if (const auto it = exact_.find(name); it != exact_.end()) return &hosts_[it->second];
  // A wildcard stands for at least one character.
  for (const Wildcards& w : suffixes_) {
    if (w.length >= name.size()) continue;
    if (const auto it = w.names.find(name.substr(name.size() - w.length)); it != w.names.end()) {
      return &hosts_[it->second];
    }
  }
  for (const Wildcards& w : prefixes_) {
    if (w.length >= name.size()) continue;
    if (const auto it = w.names.find(name.substr(0, w.length)); it != w.names.end()) return &hosts_[it->second];
  }
  return any();
}

const RouteEntry* RouteTable::match(const http::HeaderMap& request) const {
  if (request.value(HeaderId::kXForwardedProto).empty()) return nullptr;
  const Host* host = find_host(request.value(HeaderId::kAuthority));
  if (host == nullptr) return nullptr;
  const std::string_view path_and_query = request.value(HeaderId::kPath);
  const size_t question = path_and_query.find('?');
  const std::string_view path = path_and_query.substr(0, question);
  const std::string_view query =
      question == std::string_view::npos ? std::string_view() : path_and_query.substr(question + 1);
  for (const RouteEntry& route : host->routes) {
    if (route.matcher.matches(path, query, request)) return &route;
  }
  return nullptr;
}

}  // namespace inlay::proxy::router
