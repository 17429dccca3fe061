// SPDX-License-Identifier: Apache-2.0
#pragma once

// The typed configuration that the loader makes from an Envoy v3 bootstrap and the data plane runs on: plain values
// with Envoy's names and Envoy's defaults (1.40) already filled in. No YAML, no protobuf, no pointers into the source.
// The loader has checked all of it; it is not changed any more, so that any thread may read it, and it outlives the
// server.
//
//     document::Diagnostics diagnostics;
//     const auto bootstrap = load_file("envoy.yaml", {}, diagnostics);  // config/load.h
//     if (!bootstrap) return;
//     for (const Listener& listener : bootstrap->listeners)
//       for (const VirtualHost& host : listener.http.route_config.virtual_hosts)
//         std::cout << listener.name << " " << host.name << "\n";
//
// docs/reference/envoy_config.md has every field, and which are accepted without effect. Here is only what is acted on.
// Names of fields are Envoy's; a comment says only what their documentation does not, or what the type does not show.

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/address.h"
#include "config/cors.h"
#include "config/format.h"
#include "config/string_matcher.h"
#include "config/tls.h"
#include "host/host.h"

namespace inlay::config {

using Milliseconds = std::chrono::milliseconds;

// config/core/v3 CidrRange.
struct CidrRange {
  bool v6 = false;
  std::array<uint8_t, 16> address{};  // in network order; of IPv4 the first four
  uint32_t prefix_len = 0;            // at most 32 or 128
};

// Metadata: filter name to a JSON text (google.protobuf.Struct), kept for properties.
using Metadata = std::vector<std::pair<std::string, std::string>>;

// config/core/v3 Locality.
struct Locality {
  std::string region;
  std::string zone;
  std::string sub_zone;
};

// config/core/v3 Node: what the proxy says of itself, for properties.
struct Node {
  std::string id;
  std::string cluster;
  Locality locality;
  Metadata metadata;
};

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

constexpr size_t kLargestModule = size_t{64} << 20;  // bytes of a wasm module

// core/v3 HttpUri with a RetryPolicy: what is fetched through a cluster.
struct RemoteSource {
  std::string uri;          // for messages: without its query, which may be a signature
  std::string host;         // of the URI, with its port: the request's authority
  std::string path;         // of the URI, with its query
  std::string cluster;      // of static_resources
  Milliseconds timeout{0};  // 0: none
  uint32_t num_retries = 1;
  Milliseconds back_off_base{1'000};
  Milliseconds back_off_max{10'000};
};

// core/v3 RemoteDataSource: a module that is fetched before it is used; its timeout is for one try.
struct RemoteCode : RemoteSource {
  std::string sha256;  // 64 hexadecimal digits, lower-case
};

// Where a wasm module comes from: code.local, whose bytes the loader has read, or code.remote.
struct WasmCode {
  std::string filename;  // for messages: "<inline>" for inline code, the URI of remote code
  std::shared_ptr<const std::vector<uint8_t>> bytes;  // null for remote code
  std::optional<RemoteCode> remote;
  bool nack_on_code_cache_miss = false;
};

// extensions/wasm/v3 PluginConfig, of an HTTP filter, an access logger or a service.
struct WasmPlugin {
  host::PluginConfig plugin;
  WasmCode code;
};

// extensions/wasm/v3 WasmService: a plugin without streams.
struct WasmService {
  std::string name;
  WasmPlugin wasm;
  bool singleton = false;  // one instance on the main thread; else one on each worker
};
// extensions/filters/http/router/v3 Router.
struct RouterFilter {
  bool suppress_envoy_headers = false;
};
// extensions/filters/http/cors/v3 Cors: what it does is of the routes.
struct CorsFilter {};
// extensions/filters/http/grpc_web/v3 GrpcWeb.
struct GrpcWebFilter {};
struct JwtAuthentication;  // config/jwt_authn.h
// extensions/filters/http/jwt_authn/v3 JwtAuthentication.
struct JwtAuthnFilter {
  std::shared_ptr<const JwtAuthentication> settings;
};
// HttpFilter: one of http_filters.
struct HttpFilter {
  std::string name;
  bool disabled = false;
  std::variant<WasmPlugin, RouterFilter, CorsFilter, GrpcWebFilter, JwtAuthnFilter> config;
};

// config/accesslog/v3 AccessLogFilter: which requests are logged.
struct AccessLogFilter {
  enum class Kind : uint8_t { kStatusCode, kDuration, kHeader, kResponseFlag, kAnd, kOr, kAll } kind = Kind::kAll;
  enum class Op : uint8_t { kEqual, kGreaterOrEqual, kLessOrEqual, kNotEqual } op = Op::kEqual;
  uint32_t value = 0;  // a status, or milliseconds
  HeaderMatcher header;
  std::vector<std::string> flags;  // kResponseFlag: any of them; empty: any flag at all
  std::vector<AccessLogFilter> filters;
};

// config/accesslog/v3 AccessLog: where a line goes for each stream that the filter takes, or for all without one.
struct AccessLog {
  enum class Sink : uint8_t { kFile, kStdout, kStderr, kWasm } sink = Sink::kFile;
  std::string path;                // kFile
  std::optional<WasmPlugin> wasm;  // kWasm, which has no format
  Format text;
  std::optional<JsonFormat> json;  // instead of the text
  bool omit_empty_values = false;  // text: nothing instead of "-"; JSON: the member is left out
  std::optional<AccessLogFilter> filter;
};

// config/core/v3 Http2ProtocolOptions; the defaults are Envoy 1.40's.
struct Http2Options {
  uint32_t header_table_size = 4096;
  uint32_t max_concurrent_streams = 1024;
  uint32_t initial_stream_window_size = 16u << 20;      // bytes
  uint32_t initial_connection_window_size = 24u << 20;  // bytes
  Milliseconds keepalive_interval{0};                   // of PING; 0: none is sent
  Milliseconds keepalive_timeout{0};                    // for its answer
  // Of a client: frames without a payload one after another, PRIORITY frames a stream, WINDOW_UPDATE frames a DATA
  // frame.
  uint32_t max_empty_frames = 1;
  uint32_t max_priority_frames = 100;
  uint32_t max_window_updates = 10;
  bool stream_error_on_invalid_message = false;  // of a client, which else ends the connection
  bool allow_connect = false;                    // a client may upgrade a stream (RFC 8441)
};

// extensions/filters/network/http_connection_manager/v3 HttpConnectionManager.
struct HttpConnectionManager {
  std::string stat_prefix;
  enum class CodecType : uint8_t { kAuto, kHttp1, kHttp2 } codec_type = CodecType::kAuto;
  RouteConfiguration route_config;
  std::vector<HttpFilter> http_filters;  // the last one is the router; none: no request is answered
  std::vector<AccessLog> access_logs;
  std::string server_name = "envoy";
  enum class ServerHeader : uint8_t {
    kOverwrite,
    kAppendIfAbsent,
    kPassThrough
  } server_header = ServerHeader::kOverwrite;
  Milliseconds stream_idle_timeout{300'000};  // 0: off
  Milliseconds request_timeout{0};            // 0: off
  Milliseconds request_headers_timeout{0};    // 0: off
  Milliseconds idle_timeout{3'600'000};       // of a connection without streams; 0: off
  Milliseconds max_connection_duration{0};    // 0: off
  Milliseconds max_stream_duration{0};        // 0: off
  Milliseconds delayed_close_timeout{1'000};
  Milliseconds drain_timeout{5'000};
  uint32_t max_request_headers_kb = 60;
  uint32_t max_headers_count = 100;
  uint32_t max_requests_per_connection = 0;  // 0: no limit
  enum class UnderscoreAction : uint8_t {
    kAllow,
    kRejectRequest,
    kDropHeader
  } headers_with_underscores = UnderscoreAction::kAllow;
  Http2Options http2;            // http2_protocol_options
  bool enable_trailers = false;  // http_protocol_options
  bool accept_http_10 = false;
  bool allow_custom_methods = false;
  bool proxy_100_continue = false;
  std::string default_host_for_http_10;
  bool use_remote_address = false;
  uint32_t xff_num_trusted_hops = 0;
  bool skip_xff_append = false;
  std::vector<CidrRange> internal_addresses;  // internal_address_config: whose requests are not a stranger's
  bool internal_pipes = false;                // the same for clients of a pipe
  bool generate_request_id = true;
  bool preserve_external_request_id = false;
  bool always_set_request_id_in_response = false;
  bool normalize_path = false;
  bool merge_slashes = false;
  enum class EscapedSlashes : uint8_t {
    kKeepUnchanged,
    kReject,
    kRedirect,
    kForward
  } escaped_slashes = EscapedSlashes::kKeepUnchanged;  // path_with_escaped_slashes_action
  bool strip_matching_host_port = false;
  bool strip_any_host_port = false;
  bool strip_trailing_host_dot = false;
  std::string via;
  // scheme_header_transformation: what :scheme and x-forwarded-proto become; empty: as they came.
  std::string scheme_to_overwrite;
  bool scheme_matches_upstream = false;  // "https" to a cluster with TLS, "http" to others
  std::vector<Upgrade> upgrades;         // those that routes say nothing of
};

// extensions/filters/network/tcp_proxy/v3 TcpProxy.
struct TcpProxy {
  std::string stat_prefix;
  struct Target {
    std::string cluster;
    uint32_t weight = 1;
  };
  std::vector<Target> targets;              // one, or those of weighted_clusters
  Milliseconds idle_timeout{3'600'000};     // without a byte either way; 0: off
  Milliseconds max_connection_duration{0};  // 0: off
  uint32_t max_connect_attempts = 1;
  std::vector<AccessLog> access_logs;
};

// A Wasm plugin in a listener's filter chain.
struct NetworkFilter {
  std::string name;
  WasmPlugin wasm;
};

// config/listener/v3 FilterChainMatch: which connections a chain takes.
struct FilterChainMatch {
  std::vector<std::string> server_names;  // lower-case; "a.b" or "*.b"; empty: any, or none
  std::string transport_protocol;         // "tls", "raw_buffer"; empty: any
  bool is_default = false;                // default_filter_chain: what no other takes
};

// config/listener/v3 Listener with one filter chain: network_filters, then a TcpProxy or an HttpConnectionManager. Each
// further filter chain is a Listener of its own, behind the one that has the socket.
struct Listener {
  std::string name;
  Address address;
  enum class Direction : uint8_t { kUnspecified, kInbound, kOutbound } traffic_direction = Direction::kUnspecified;
  uint32_t per_connection_buffer_limit_bytes = 1024 * 1024;
  std::string stat_prefix;
  std::string filter_chain_name;
  Metadata metadata;
  std::optional<DownstreamTls> tls;
  bool ignore_global_conn_limit = false;  // its clients do not count for Bootstrap::max_clients
  std::optional<uint64_t> max_clients;    // runtime key envoy.resource_limits.listener.NAME.connection_limit
  bool closes_at_once = false;            // the chain has no filters
  // The place in Bootstrap::listeners of the one whose socket this one's clients come from; nullopt: its own.
  std::optional<size_t> chain_of;
  FilterChainMatch chain_match;
  // Of the one with the socket: what a client sends first decides on its chain. How long that may take, 0: for ever;
  // and whether it is then taken as one that has sent nothing, or closed.
  bool chooses_chain = false;
  Milliseconds choice_timeout{15'000};
  bool goes_on_without_choice = false;
  std::vector<NetworkFilter> network_filters;
  std::optional<TcpProxy> tcp_proxy;
  HttpConnectionManager http;  // of no meaning when there is a tcp_proxy

  const std::vector<AccessLog>& access_logs() const { return tcp_proxy ? tcp_proxy->access_logs : http.access_logs; }
};

// config/endpoint/v3 LbEndpoint: a host of a cluster. Of a DNS cluster `address` has a name, which is resolved.
struct Endpoint {
  Address address;
  std::string hostname;
  uint32_t weight = 1;
  enum class Health : uint8_t { kHealthy, kUnhealthy } health = Health::kHealthy;
  Metadata metadata;
  // Of the LocalityLbEndpoints that it is listed in.
  Locality locality;
  Metadata locality_metadata;
};

// config/cluster/v3 Cluster. Counts and limits are of all workers together.
struct Cluster {
  std::string name;           // unique
  std::string alt_stat_name;  // empty: the name
  enum class Type : uint8_t { kStatic, kStrictDns, kLogicalDns } type = Type::kStatic;
  Milliseconds connect_timeout{5'000};
  enum class LbPolicy : uint8_t { kRoundRobin, kLeastRequest, kRandom } lb_policy = LbPolicy::kRoundRobin;
  std::vector<Endpoint> endpoints;
  enum class DnsFamily : uint8_t { kAuto, kV4Only, kV6Only, kV4Preferred, kAll } dns_lookup_family = DnsFamily::kAuto;
  Milliseconds dns_refresh_rate{5'000};
  Milliseconds idle_timeout{3'600'000};
  uint32_t max_requests_per_connection = 0;  // 0: no limit
  bool enable_trailers = false;              // http_protocol_options
  std::optional<Http2Options> http2;         // nullopt: HTTP/1.1
  bool as_downstream = false;                // HTTP/2 for requests that came as HTTP/2 only
  uint32_t per_connection_buffer_limit_bytes = 1024 * 1024;
  // circuit_breakers, DEFAULT priority
  uint32_t max_connections = 1024;
  uint32_t max_pending_requests = 1024;
  uint32_t max_requests = 1024;
  uint32_t max_retries = 3;
  std::optional<UpstreamTls> tls;
  Metadata metadata;
};

// config/bootstrap/v3 Admin.
struct Admin {
  Address address;
  std::vector<StringMatcher> allow_paths;  // of a path without its query; empty: all
};

// config/metrics/v3 TagSpecifier: a label of statistics.
struct StatsTag {
  std::string name;
  std::string regex;  // ECMAScript (std::regex); empty: the value is fixed, or the rule is one that Envoy has itself
  std::optional<std::string> fixed_value;  // of every statistic
};

// config/bootstrap/v3 Bootstrap: all of one configuration.
struct Bootstrap {
  Node node;
  std::optional<Admin> admin;
  std::vector<Listener> listeners;
  std::vector<Cluster> clusters;
  std::vector<WasmService> wasm_services;
  std::vector<StatsTag> stats_tags;
  // envoy.resource_monitors.global_downstream_max_connections, of all listeners; nullopt: what the descriptors allow
  std::optional<uint64_t> max_clients;
  // What of the file takes no part, since whoever started this said so (LoadOptions::leave_out): one line each.
  std::vector<std::string> left_out;
  // The file as JSON with every secret-bearing value replaced, for /config_dump.
  std::string redacted_json;
};

}  // namespace inlay::config
