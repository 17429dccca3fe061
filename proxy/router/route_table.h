// SPDX-License-Identifier: Apache-2.0
#pragma once

// RouteTable: a RouteConfiguration compiled for matching. Made once, immutable but for the content of followed files,
// shared by all workers.
//
//     INLAY_TRY(auto table, RouteTable::compile(config, [&](std::string_view name) { return registry.find(name); }));
//     const RouteEntry* route = table->match(request_headers);   // nullptr: 404

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "config/model.h"
#include "http/header_map.h"
#include "proxy/router/cors_policies.h"
#include "proxy/router/followed_file.h"
#include "proxy/router/header_edits.h"
#include "proxy/router/route_match.h"

namespace inlay::proxy::router {

// RouteEntry is one compiled route. `config` and `virtual_host` point into the bootstrap.
struct RouteEntry {
  const config::Route* config = nullptr;
  const config::VirtualHost* virtual_host = nullptr;
  // The action; exactly one is not null.
  const config::RouteAction* route = nullptr;
  const config::RedirectAction* redirect = nullptr;
  const config::DirectResponseAction* direct_response = nullptr;
  std::shared_ptr<FollowedFile> followed_body;  // of a direct_response with a body_file: in the place of its body

  std::optional<size_t> cluster;  // the index of route->cluster; nullopt: no such cluster, or another specifier
  // Of route->weighted_clusters, in their order.
  struct Weighted {
    const config::WeightedCluster* config = nullptr;
    std::optional<size_t> cluster;
    HeaderEdits request_edits;
    HeaderEdits response_edits;
  };
  std::vector<Weighted> weighted;
  std::shared_ptr<const re2::RE2> rewrite_regex;
  config::FilterSwitches filter_switches;  // of the route, then of its virtual host, then of all
  HeaderEdits request_edits;
  HeaderEdits response_edits;

  std::vector<std::pair<std::string, CorsPolicies>> cors;  // by the filter's name
  CorsPolicies cors_of_fields;                             // for the other filters: of the fields `cors`

  // Of the route, then of its virtual host, then of all.
  std::vector<const config::JwtRouteSetting*> jwt_settings;
  RouteMatcher matcher;

  // Whether the route turns the filter on or off; nullopt: neither, so the filter's own `disabled` decides.
  std::optional<bool> filter_switch(std::string_view filter) const;
  // What CORS the route, and what is around it, has for a filter of this name; maybe none.
  const CorsPolicies& cors_policies(std::string_view filter) const;
  // What it has for a jwt_authn filter of this name; nullptr: nothing.
  const config::JwtRouteSetting* jwt_setting(std::string_view filter) const;
  // The cluster that a number falls to, of all numbers alike. Not of an entry without weighted clusters.
  const Weighted& choose(uint64_t lot) const;
  // The request's path (with query) after the action's prefix_rewrite or regex_rewrite, into `out`; false: none is
  // configured, or it does not change the path.
  bool rewrite_path(std::string_view path_and_query, std::string& out) const;
};

class RouteTable {
 public:
  using FindCluster = std::function<std::optional<size_t>(std::string_view name)>;
  // `config` must outlive the table. Errors: kInvalidArgument, `where` naming virtual host and route.
  static Result<std::shared_ptr<const RouteTable>> compile(const config::RouteConfiguration& config,
                                                           const FindCluster& find_cluster);

  // The first route that matches of the virtual host that the :authority belongs to. None, as in Envoy 1.40, for a
  // request whose x-forwarded-proto filters have taken away or the client has left empty.
  const RouteEntry* match(const http::HeaderMap& request) const;
  // The files whose content routes answer with; to be read again by whoever watches them.
  const std::vector<std::shared_ptr<FollowedFile>>& followed_files() const { return followed_files_; }
  // Some route turns some filter off or on (typed_per_filter_config).
  bool switches_filters() const { return switches_filters_; }
  // Some route has an idle_timeout, or says how long a stream may last.
  bool limits_streams() const { return limits_streams_; }
  const config::RouteConfiguration& config() const { return *config_; }

 private:
  struct Host {
    const config::VirtualHost* config;
    std::vector<RouteEntry> routes;
  };
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  using Names = std::unordered_map<std::string, size_t, NameHash, std::equal_to<>>;
  struct Wildcards {  // one length of "*.suffix" or "prefix.*"
    size_t length;
    Names names;
  };

  const Host* find_host(std::string_view authority) const;
  void add_domain(const std::string& domain, size_t host);

  const config::RouteConfiguration* config_ = nullptr;
  std::vector<Host> hosts_;
  Names exact_;
  std::vector<Wildcards> suffixes_;  // longest first
  std::vector<Wildcards> prefixes_;  // longest first
  std::optional<size_t> any_;
  bool switches_filters_ = false;
  bool limits_streams_ = false;
  std::vector<std::shared_ptr<FollowedFile>> followed_files_;
};

}  // namespace inlay::proxy::router
