// SPDX-License-Identifier: Apache-2.0
#pragma once

// Routes, in the typed configuration (config/model.h): RouteConfiguration, and all that is below it.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/common_model.h"
#include "config/cors.h"
#include "config/string_matcher.h"

namespace inlay::config {

// config/route/v3 HeaderMatcher: `kind` says which of the next members counts. Several values of a header are matched
// as one, with commas between.
struct HeaderMatcher {
  std::string name;  // lower-case
  enum class Kind : uint8_t { kPresent, kString, kRange } kind = Kind::kPresent;
  bool present = true;
  StringMatcher string;
  int64_t range_start = 0;
  int64_t range_end = 0;  // exclusive
  bool invert = false;
  bool treat_missing_as_empty = false;
};

// config/route/v3 QueryParameterMatcher: of the first parameter of that name.
struct QueryParameterMatcher {
  std::string name;
  std::optional<StringMatcher> string;  // nullopt: present_match
};

// HeaderValueOption: one of the *_headers_to_add. `value` may hold %OPERATORS% (access_log formatter syntax).
struct HeaderToAdd {
  enum class Action : uint8_t { kAppendIfExistsOrAdd, kAddIfAbsent, kOverwriteIfExistsOrAdd, kOverwriteIfExists };
  std::string name;
  std::string value;
  Action action = Action::kAppendIfExistsOrAdd;
  bool keep_empty_value = false;
};
// HeaderEdits: removed first, then added, in the configuration's order.
struct HeaderEdits {
  std::vector<HeaderToAdd> add;
  std::vector<std::string> remove;
};

// config/route/v3 RouteMatch: all of it has to match.
struct RouteMatch {
  enum class Kind : uint8_t { kPrefix, kPath, kSafeRegex, kPathSeparatedPrefix, kConnect } kind = Kind::kPrefix;
  std::string value;
  bool case_sensitive = true;
  std::vector<HeaderMatcher> headers;
  std::vector<QueryParameterMatcher> query_parameters;
  bool grpc_only = false;
};

// config/route/v3 WeightedCluster.ClusterWeight.
struct WeightedCluster {
  std::string cluster;
  uint32_t weight = 0;  // of the sum of all
  HeaderEdits request_headers;
  HeaderEdits response_headers;
};

// UpgradeConfig, of RouteAction (config/route/v3) and of HttpConnectionManager: of each type there is one at the most.
struct Upgrade {
  std::string type;  // what `upgrade` says in a request, in any case; or "CONNECT", the method
  bool enabled = true;
  bool terminates = false;  // of CONNECT (connect_config): the cluster gets the bytes alone
};

// config/route/v3 RouteAction: the request goes to a cluster.
struct RouteAction {
  std::string cluster;                             // or
  std::vector<WeightedCluster> weighted_clusters;  // one of them, by lot; at least one has a weight; or
  std::string cluster_header;                      // the cluster's name is the value of this request header
  uint32_t cluster_not_found_response_code = 503;
  Milliseconds timeout{15000};  // 0: off
  std::optional<Milliseconds> idle_timeout;
  // config/route/v3 RouteAction.MaxStreamDuration: how long a stream may last. With it `timeout` does not count.
  struct MaxStreamDuration {
    std::optional<Milliseconds> limit;                       // in the place of the manager's; 0: none
    std::optional<Milliseconds> grpc_timeout_header_max;     // grpc-timeout counts, up to this; 0: however much it says
    std::optional<Milliseconds> grpc_timeout_header_offset;  // less this
  };
  std::optional<MaxStreamDuration> max_stream_duration;
  // The older form: of gRPC requests grpc-timeout is what `timeout` is else, up to this; 0: however much it says.
  std::optional<Milliseconds> max_grpc_timeout;
  std::optional<Milliseconds> grpc_timeout_offset;  // less this
  std::string prefix_rewrite;
  struct RegexRewrite {
    std::string pattern;
    std::string substitution;
  };
  std::optional<RegexRewrite> regex_rewrite;
  std::string host_rewrite_literal;
  bool auto_host_rewrite = false;
  std::optional<CorsPolicy> cors;  // the field; a route's typed_per_filter_config is in Route
  std::vector<Upgrade> upgrades;   // count before the manager's
};

// config/route/v3 RedirectAction: the request is answered with a location.
struct RedirectAction {
  bool https_redirect = false;
  std::string scheme_redirect;
  std::string host_redirect;
  uint32_t port_redirect = 0;
  std::string path_redirect;
  std::string prefix_rewrite;
  std::optional<RouteAction::RegexRewrite> regex_rewrite;
  uint32_t response_code = 301;
  bool strip_query = false;
};

// DataSource with a watched_directory: the file is read again whenever something is renamed into the directory.
struct WatchedFile {
  std::string path;
  std::string directory;
  size_t limit = 0;  // bytes; a content that has more is not taken
};

// config/route/v3 DirectResponseAction: the request is answered with this.
struct DirectResponseAction {
  uint32_t status = 200;
  std::string body;                      // what the file had, where there is one
  std::optional<WatchedFile> body_file;  // where the body is to be followed
};

// typed_per_filter_config with FilterConfig: filters that are on or off here, whatever the wider places say (from the
// filter's own `disabled` over RouteConfiguration and VirtualHost to Route).
struct FilterSwitch {
  std::string filter;  // its `name`
  bool on = false;
};
using FilterSwitches = std::vector<FilterSwitch>;

// typed_per_filter_config with a PerRouteConfig of jwt_authn: in the place of the filter's own rules.
struct JwtRouteSetting {
  std::string filter;       // its `name`
  bool disabled = false;    // or
  std::string requirement;  // one of the filter's requirement_map; of another name each request is refused
};

// config/route/v3 Route. The first of a virtual host that matches is taken.
struct Route {
  std::string name;
  RouteMatch match;
  std::variant<RouteAction, RedirectAction, DirectResponseAction> action;
  HeaderEdits request_headers;
  HeaderEdits response_headers;
  Metadata metadata;
  FilterSwitches filter_switches;
  std::vector<NamedCorsPolicy> cors_policies;
  std::vector<JwtRouteSetting> jwt_settings;
};

// config/route/v3 VirtualHost. The most specific of the domains decides, whatever the order.
struct VirtualHost {
  std::string name;
  std::vector<std::string> domains;  // lower-case; "a.b", "*.b", "a.*", "*"
  std::vector<Route> routes;
  HeaderEdits request_headers;
  HeaderEdits response_headers;
  Metadata metadata;
  FilterSwitches filter_switches;
  std::vector<NamedCorsPolicy> cors_policies;
  std::vector<JwtRouteSetting> jwt_settings;
  std::optional<CorsPolicy> cors;  // the field
};

// config/route/v3 RouteConfiguration. No domain is in two of its virtual hosts.
struct RouteConfiguration {
  std::string name;
  std::vector<VirtualHost> virtual_hosts;
  HeaderEdits request_headers;
  HeaderEdits response_headers;
  bool most_specific_header_mutations_wins = false;
  bool ignore_port_in_host_matching = false;
  std::vector<std::string> internal_only_headers;  // lower-case; taken from requests of strangers
  FilterSwitches filter_switches;
  std::vector<NamedCorsPolicy> cors_policies;
  std::vector<JwtRouteSetting> jwt_settings;
};

}  // namespace inlay::config
