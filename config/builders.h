// SPDX-License-Identifier: Apache-2.0
#pragma once

// The family builders: each reads its message from the checked tree into the model, enforces the API's constraints
// (validate.proto) and Envoy's own cross checks, and reports every fault. A builder always returns a value; after an
// error nobody uses it.

#include <map>
#include <set>
#include <string>

#include "config/dynamic_resources.h"
#include "config/load.h"
#include "config/model.h"
#include "config/support.h"
#include "config/view.h"

namespace inlay::config {

struct BuildContext {
  const LoadOptions& options;
  Reporter& report;
  std::set<std::string, std::less<>> clusters;            // names of all static clusters
  std::vector<std::string> left_out = {};                 // Bootstrap::left_out
  std::map<std::string, View, std::less<>> secrets = {};  // static_resources.secrets (config/secrets.h)
  SecretFiles secret_files = {};

  void error(View at, std::string message) { report.error(at.node(), std::move(message)); }
  // Whether it stands in one of secret_files.
  bool is_in_secret_file(View at) const;
  // At the field, or where its message stands when the field is absent.
  void field_error(View message, std::string_view field, std::string text);
  // "is required": the field must be set (and, for strings and lists, not empty).
  bool require(View message, std::string_view field);
  // "there is no cluster `name` in static_resources.clusters", with the nearest that there is.
  std::string unknown_cluster(std::string_view name) const;
  // An Any of one of `types`; nullptr after an error, which says what would be right.
  const TreeNode* typed(View any, std::initializer_list<std::string_view> types, std::string_view what);
  // The same of an extension that may be left out: nullptr, without an error, when it is. `extension` has `name` and
  // `typed_config`.
  const TreeNode* typed_or_left_out(View extension, std::initializer_list<std::string_view> types,
                                    std::string_view what);
};

Bootstrap build_bootstrap(const Tree& tree, BuildContext& context);
// The overload manager's global_downstream_max_connections; nullopt: not set.
std::optional<uint64_t> build_max_clients(View overload_manager, BuildContext& context);
// The runtime's connection_limit by the names of listeners.
std::map<std::string, uint64_t, std::less<>> build_connection_limits(View layered_runtime, BuildContext& context);
// `names_allowed`: of a cluster whose endpoints DNS resolves.
Address build_address(View address, bool names_allowed, BuildContext& context);
CidrRange build_cidr_range(View range, BuildContext& context);
// One for each filter chain, the first of which has the socket; `place`: of that one in Bootstrap::listeners.
std::vector<Listener> build_listener(View listener, size_t place, BuildContext& context);
// Of several chains of one listener, no two with the same match.
void check_filter_chain_matches(const std::vector<View>& chains, BuildContext& context);
FilterChainMatch build_filter_chain_match(View chain, BuildContext& context);
HttpConnectionManager build_http_connection_manager(View manager, BuildContext& context);
TcpProxy build_tcp_proxy(View proxy, BuildContext& context);
RouteConfiguration build_route_configuration(View routes, BuildContext& context);
Cluster build_cluster(View cluster, BuildContext& context);
// config/core/v3 Http2ProtocolOptions; an absent one has the defaults.
Http2Options build_http2_options(View message, BuildContext& context);
// A transport socket: nullopt for plain text, and after an error.
// `http2`: whether it is spoken, else ALPN's "h2" is left out. `cluster`: its name, for messages.
std::optional<UpstreamTls> build_upstream_tls(View socket, const std::string& cluster, bool http2,
                                              BuildContext& context);
std::optional<DownstreamTls> build_downstream_tls(View socket, bool http2, BuildContext& context);
// A TlsCertificate; its texts are empty after an error.
TlsCertificate build_tls_certificate(View certificate, BuildContext& context);
// Of a message with a PluginConfig as `config`: a filter, an access logger or a service.
WasmPlugin build_wasm(View wasm, BuildContext& context);
WasmCode build_wasm_code(View vm, BuildContext& context);
WasmService build_wasm_service(View extension, BuildContext& context);
// nullopt after an error.
std::optional<AccessLog> build_access_log(View log, BuildContext& context);

// DataSource. nullopt after an error.
struct Data {
  std::string name;  // the file's name, or "<inline>"
  std::string bytes;
};
// Of one that is read once: a `watched_directory` is an error.
std::optional<Data> read_data_source(View source, size_t limit, BuildContext& context);
// Of one that is followed if it has a `watched_directory`: `file` says how.
std::optional<Data> read_data_source(View source, size_t limit, std::optional<WatchedFile>& file,
                                     BuildContext& context);

// LoadOptions::environment, or the process's own.
std::optional<std::string> read_environment(const LoadOptions& options, const std::string& name);

StringMatcher build_string_matcher(View matcher, BuildContext& context);
HeaderMatcher build_header_matcher(View matcher, BuildContext& context);
QueryParameterMatcher build_query_parameter_matcher(View matcher, BuildContext& context);
// A RegexMatcher's regex, checked with RE2.
std::string build_regex(View regex, BuildContext& context);
// The upgrade_configs of a connection manager or of a route's action.
std::vector<Upgrade> build_upgrades(View message, bool of_route, BuildContext& context);
CorsPolicy build_cors_policy(View policy, BuildContext& context);
JwtAuthnFilter build_jwt_authn(View filter, BuildContext& context);
// A PerRouteConfig of jwt_authn.
JwtRouteSetting build_jwt_route_setting(View setting, const std::string& filter, BuildContext& context);
RouteMatch build_route_match(View match, BuildContext& context);
// HttpUri and RetryPolicy, into `out`. `needs_cluster`: one that is not in the configuration is an error, else a
// warning.
void read_http_uri(View uri, bool needs_cluster, RemoteSource& out, BuildContext& context);
void read_retry_policy(View policy, RemoteSource& out, BuildContext& context);
RouteAction::RegexRewrite build_regex_rewrite(View rewrite, BuildContext& context);

// The *_headers_to_add and *_headers_to_remove of `message`; `prefix` is "request" or "response".
HeaderEdits build_header_edits(View message, const std::string& prefix, BuildContext& context);
// Whether `name` is a valid HTTP header name, or with `pseudo` a ":name".
bool is_header_name(std::string_view name, bool pseudo = false);

}  // namespace inlay::config
