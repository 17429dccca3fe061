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

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "config/common_model.h"
#include "config/filter_model.h"
#include "config/format.h"
#include "config/route_model.h"
#include "config/string_matcher.h"
#include "config/tls.h"

namespace inlay::config {

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
