// SPDX-License-Identifier: Apache-2.0
// The values that the builders make, from the bootstraps of the golden cases.
#include "config/model.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "config/load.h"
#include "config/plugins.h"

namespace inlay::config {
namespace {

Bootstrap load_case(const std::string& name) {
  std::stringstream content;
  content << std::ifstream(INLAY_SOURCE_DIR "/config/testdata/" + name + ".case").rdbuf();
  const std::string text = content.str();
  LoadOptions options;
  options.environment = [](const std::string& variable) {
    return variable == "SET" ? std::optional<std::string>("from the environment") : std::nullopt;
  };
  document::Diagnostics diagnostics;
  const bool json = text.starts_with("{");
  auto bootstrap =
      load_text(text.substr(0, text.find("#### expect")), json ? "a.json" : "a.yaml", options, diagnostics);
  EXPECT_TRUE(bootstrap) << diagnostics.to_string();
  return bootstrap ? *std::move(bootstrap) : Bootstrap();
}

const HttpConnectionManager& manager(const Bootstrap& bootstrap) {
  return bootstrap.listeners.at(0).http;
}
const Route& first_route(const Bootstrap& bootstrap) {
  return manager(bootstrap).route_config.virtual_hosts.at(0).routes.at(0);
}

TEST(Model, ManagersFields) {
  const Bootstrap bootstrap = load_case("hcm_everything");
  const HttpConnectionManager& http = manager(bootstrap);
  EXPECT_EQ(http.codec_type, HttpConnectionManager::CodecType::kHttp1);
  EXPECT_EQ(http.server_name, "mine");
  EXPECT_EQ(http.server_header, HttpConnectionManager::ServerHeader::kAppendIfAbsent);
  EXPECT_EQ(http.stream_idle_timeout, Milliseconds(0));
  EXPECT_EQ(http.request_timeout, Milliseconds(1500));
  EXPECT_EQ(http.request_headers_timeout, Milliseconds(2000));
  EXPECT_EQ(http.idle_timeout, Milliseconds(60'000));
  EXPECT_EQ(http.max_connection_duration, Milliseconds(3'600'000));
  EXPECT_EQ(http.max_stream_duration, Milliseconds(10'000));
  EXPECT_EQ(http.max_requests_per_connection, 5u);
  EXPECT_EQ(http.max_headers_count, 100u);
  EXPECT_EQ(http.headers_with_underscores, HttpConnectionManager::UnderscoreAction::kDropHeader);
  EXPECT_TRUE(http.enable_trailers);
  EXPECT_TRUE(http.accept_http_10);
  EXPECT_EQ(http.default_host_for_http_10, "a.b");
  EXPECT_TRUE(http.use_remote_address);
  EXPECT_FALSE(http.generate_request_id);
  EXPECT_TRUE(http.normalize_path);
  EXPECT_TRUE(http.merge_slashes);
  EXPECT_TRUE(http.strip_any_host_port);
  EXPECT_EQ(http.via, "me");
}

TEST(Model, NullIsUnset) {
  const Bootstrap bootstrap = load_case("type_null_is_unset");
  EXPECT_EQ(manager(bootstrap).server_name, "envoy");
  EXPECT_EQ(manager(bootstrap).request_timeout, Milliseconds(0));
}

TEST(Model, Matchers) {
  const Bootstrap bootstrap = load_case("routes_matchers");
  const RouteMatch& match = first_route(bootstrap).match;
  EXPECT_FALSE(match.case_sensitive);
  EXPECT_TRUE(match.grpc_only);
  ASSERT_EQ(match.headers.size(), 5u);
  EXPECT_EQ(match.headers[0].name, "x-a");
  EXPECT_EQ(match.headers[0].string.kind, StringMatcher::Kind::kPrefix);
  EXPECT_TRUE(match.headers[0].string.ignore_case);
  EXPECT_EQ(match.headers[1].kind, HeaderMatcher::Kind::kPresent);
  EXPECT_FALSE(match.headers[1].present);
  EXPECT_EQ(match.headers[2].kind, HeaderMatcher::Kind::kRange);
  EXPECT_EQ(match.headers[2].range_start, 1);
  EXPECT_EQ(match.headers[2].range_end, 10);
  EXPECT_TRUE(match.headers[2].invert);
  EXPECT_EQ(match.headers[3].string.kind, StringMatcher::Kind::kExact);
  EXPECT_EQ(match.headers[3].string.value, "old");
  EXPECT_EQ(match.headers[4].string.kind, StringMatcher::Kind::kSafeRegex);
  ASSERT_EQ(match.query_parameters.size(), 2u);
  ASSERT_TRUE(match.query_parameters[0].string);
  EXPECT_EQ(match.query_parameters[0].string->value, "z");
  EXPECT_FALSE(match.query_parameters[1].string);
}

TEST(Model, Actions) {
  const Bootstrap by_header = load_case("routes_cluster_header");
  const auto& action = std::get<RouteAction>(first_route(by_header).action);
  EXPECT_EQ(action.cluster_header, "x-cluster");
  EXPECT_EQ(action.cluster_not_found_response_code, 404u);
  EXPECT_EQ(action.timeout, Milliseconds(15'000));

  const Bootstrap redirecting = load_case("routes_redirect");
  const auto& redirect = std::get<RedirectAction>(first_route(redirecting).action);
  EXPECT_TRUE(redirect.https_redirect);
  EXPECT_EQ(redirect.host_redirect, "a.b");
  EXPECT_EQ(redirect.port_redirect, 8443u);
  EXPECT_EQ(redirect.path_redirect, "/x");
  EXPECT_EQ(redirect.response_code, 308u);
  EXPECT_TRUE(redirect.strip_query);

  const Bootstrap direct = load_case("routes_direct_response");
  EXPECT_EQ(std::get<DirectResponseAction>(first_route(direct).action).body, "ok\n");
}

TEST(Model, HeaderEdits) {
  const Bootstrap bootstrap = load_case("headers_edits");
  const Route& route = first_route(bootstrap);
  ASSERT_EQ(route.request_headers.add.size(), 2u);
  EXPECT_EQ(route.request_headers.add[0].name, "x-a");
  EXPECT_EQ(route.request_headers.add[0].value, "%REQ(x-b)%");
  EXPECT_EQ(route.request_headers.add[0].action, HeaderToAdd::Action::kAddIfAbsent);
  EXPECT_EQ(route.request_headers.add[1].action, HeaderToAdd::Action::kOverwriteIfExistsOrAdd);
  EXPECT_EQ(route.response_headers.remove, std::vector<std::string>{"server"});
}

TEST(Model, PathAndHostRules) {
  using Action = HttpConnectionManager::EscapedSlashes;
  const HttpConnectionManager http = load_case("hcm_escaped_slashes").listeners.at(0).http;
  EXPECT_EQ(http.escaped_slashes, Action::kRedirect);
  EXPECT_TRUE(http.strip_trailing_host_dot);
  EXPECT_EQ(load_case("hcm_internal_addresses").listeners.at(0).http.escaped_slashes, Action::kKeepUnchanged);
}

TEST(Model, InternalAddresses) {
  const Bootstrap bootstrap = load_case("hcm_internal_addresses");
  const auto& ranges = bootstrap.listeners.at(0).http.internal_addresses;
  ASSERT_EQ(ranges.size(), 2u);
  EXPECT_FALSE(ranges[0].v6);
  EXPECT_EQ(ranges[0].address[0], 10);
  EXPECT_EQ(ranges[0].prefix_len, 8u);
  EXPECT_TRUE(ranges[1].v6);
  EXPECT_EQ(ranges[1].address[0], 0xfd);
}

TEST(Model, Pipes) {
  const Bootstrap bootstrap = load_case("listener_pipe");
  const Listener& listener = bootstrap.listeners.at(0);
  EXPECT_TRUE(listener.address.is_pipe);
  EXPECT_EQ(listener.address.to_string(), "/run/inlay/ingress.sock");
  EXPECT_EQ(listener.address.pipe_mode, 0600u);
  EXPECT_TRUE(listener.http.internal_pipes);
  EXPECT_TRUE(bootstrap.admin->address.is_abstract());
  const auto& endpoints = bootstrap.clusters.at(0).endpoints;
  EXPECT_EQ(endpoints.at(0).address.to_string(), "relative.sock");
  EXPECT_FALSE(endpoints.at(1).address.is_pipe);
}

TEST(Model, FollowedBodies) {
  const Bootstrap bootstrap = load_case("routes_watched_file");
  const auto& routes = bootstrap.listeners.at(0).http.route_config.virtual_hosts.at(0).routes;
  const auto& file = std::get<DirectResponseAction>(routes.at(0).action).body_file;
  ASSERT_TRUE(file);
  EXPECT_EQ(file->path, "/dev/null");
  EXPECT_EQ(file->directory, "/dev");
  EXPECT_EQ(file->limit, 100u);
  EXPECT_FALSE(std::get<DirectResponseAction>(routes.at(1).action).body_file);
}

TEST(Model, ClientLimits) {
  const Bootstrap bootstrap = load_case("limits_clients");
  EXPECT_EQ(bootstrap.max_clients, 1000u);
  EXPECT_EQ(bootstrap.listeners.at(0).max_clients, 500u) << "the last layer wins";
  EXPECT_TRUE(bootstrap.listeners.at(0).ignore_global_conn_limit);
  const Bootstrap plain = load_case("hcm_internal_addresses");
  EXPECT_EQ(plain.max_clients, std::nullopt);
  EXPECT_EQ(plain.listeners.at(0).max_clients, std::nullopt);
}

TEST(Model, FilterSwitches) {
  const Bootstrap bootstrap = load_case("routes_filter_config_on");
  const RouteConfiguration& routes = bootstrap.listeners.at(0).http.route_config;
  ASSERT_EQ(routes.filter_switches.size(), 1u);
  EXPECT_TRUE(routes.filter_switches[0].on);
  ASSERT_EQ(routes.virtual_hosts.at(0).filter_switches.size(), 1u);
  EXPECT_FALSE(routes.virtual_hosts[0].filter_switches[0].on);
  ASSERT_EQ(first_route(bootstrap).filter_switches.size(), 1u);
  EXPECT_TRUE(first_route(bootstrap).filter_switches[0].on);

  HttpFilter filter;
  filter.name = "a";
  EXPECT_TRUE(is_ever_on(filter, bootstrap.listeners[0].http));
  filter.disabled = true;
  EXPECT_TRUE(is_ever_on(filter, bootstrap.listeners[0].http));
  filter.name = "b";
  EXPECT_FALSE(is_ever_on(filter, bootstrap.listeners[0].http));
}

TEST(Model, DisabledFilters) {
  const Bootstrap bootstrap = load_case("routes_filter_config");
  ASSERT_EQ(first_route(bootstrap).filter_switches.size(), 1u);
  EXPECT_EQ(first_route(bootstrap).filter_switches[0].filter, "filter");
  EXPECT_FALSE(first_route(bootstrap).filter_switches[0].on);
}

TEST(Model, Clusters) {
  const Bootstrap dns = load_case("clusters_dns");
  EXPECT_EQ(dns.clusters.at(0).type, Cluster::Type::kStrictDns);
  EXPECT_EQ(dns.clusters[0].dns_refresh_rate, Milliseconds(10'000));
  EXPECT_EQ(dns.clusters[0].dns_lookup_family, Cluster::DnsFamily::kV4Preferred);

  const Bootstrap breakers = load_case("clusters_circuit_breakers");
  EXPECT_EQ(breakers.clusters.at(0).max_connections, 5u);
  EXPECT_EQ(breakers.clusters[0].max_retries, 1u);
  EXPECT_EQ(breakers.clusters[0].max_requests, 1024u);

  const Bootstrap options = load_case("clusters_http_options");
  EXPECT_EQ(options.clusters.at(0).idle_timeout, Milliseconds(30'000));
  EXPECT_EQ(options.clusters[0].max_requests_per_connection, 100u);

  const Bootstrap policies = load_case("type_enum_case");
  EXPECT_EQ(policies.clusters.at(0).lb_policy, Cluster::LbPolicy::kLeastRequest);
  EXPECT_EQ(load_case("type_enum_number").clusters.at(0).lb_policy, Cluster::LbPolicy::kRandom);
}

TEST(Model, TcpProxy) {
  const Bootstrap bootstrap = load_case("tcp_everything");
  const Listener& listener = bootstrap.listeners.at(0);
  ASSERT_TRUE(listener.tcp_proxy);
  const TcpProxy& tcp = *listener.tcp_proxy;
  EXPECT_EQ(tcp.stat_prefix, "ingress_tcp");
  ASSERT_EQ(tcp.targets.size(), 2u);
  EXPECT_EQ(tcp.targets[0].cluster, "app");
  EXPECT_EQ(tcp.targets[0].weight, 3u);
  EXPECT_EQ(tcp.targets[1].cluster, "other");
  EXPECT_EQ(tcp.idle_timeout, Milliseconds(60'000));
  EXPECT_EQ(tcp.max_connection_duration, Milliseconds(3'600'000));
  EXPECT_EQ(tcp.max_connect_attempts, 3u);
  EXPECT_EQ(listener.access_logs().size(), 1u);
  ASSERT_EQ(listener.network_filters.size(), 2u);
  EXPECT_EQ(listener.network_filters[0].name, "first");
  const WasmPlugin& wasm = listener.network_filters[1].wasm;
  EXPECT_EQ(wasm.plugin.name, "second");
  EXPECT_EQ(wasm.plugin.root_id, "r");
  EXPECT_EQ(wasm.plugin.failure_policy, host::FailurePolicy::kFailOpen);
  EXPECT_EQ(wasm.code.bytes->size(), 8u);
}

TEST(Model, TcpProxysDefaults) {
  const Bootstrap bootstrap = load_case("listener_tcp_proxy");
  const TcpProxy& tcp = bootstrap.listeners.at(0).tcp_proxy.value();
  EXPECT_EQ(tcp.targets.at(0).weight, 1u);
  EXPECT_EQ(tcp.idle_timeout, Milliseconds(3'600'000));
  EXPECT_EQ(tcp.max_connection_duration, Milliseconds(0));
  EXPECT_EQ(tcp.max_connect_attempts, 1u);
}

TEST(Model, Wasm) {
  const Bootstrap bootstrap = load_case("wasm_all_fields");
  const auto& wasm = std::get<WasmPlugin>(manager(bootstrap).http_filters.at(0).config);
  EXPECT_EQ(wasm.plugin.failure_policy, host::FailurePolicy::kFailReload);
  EXPECT_EQ(wasm.plugin.reload_backoff, Milliseconds(2000));
  EXPECT_TRUE(wasm.plugin.allow_on_headers_stop_iteration);
  ASSERT_TRUE(wasm.plugin.allowed_capabilities);
  EXPECT_EQ(*wasm.plugin.allowed_capabilities, std::set<std::string>{"proxy_log"});
  EXPECT_EQ(wasm.plugin.configuration, "hello");
  EXPECT_EQ(wasm.plugin.vm_configuration, "vm");
  EXPECT_EQ(wasm.plugin.runtime, "envoy.wasm.runtime.wasmtime");
  const std::map<std::string, std::string> environment = {{"A", "b"}, {"SET", "from the environment"}};
  EXPECT_EQ(wasm.plugin.environment, environment);
  EXPECT_EQ(wasm.code.bytes->size(), 8u);
}

TEST(Model, CapabilitiesOfTheVmCountBeforeThePluginsOwn) {
  const Bootstrap bootstrap = load_case("wasm_vm_capabilities");
  const auto allowed = [&](size_t filter) {
    return std::get<WasmPlugin>(manager(bootstrap).http_filters.at(filter).config).plugin.allowed_capabilities;
  };
  EXPECT_EQ(allowed(0), std::set<std::string>{"proxy_log"});
  EXPECT_EQ(allowed(1), std::set<std::string>{"proxy_log"});
  EXPECT_EQ(allowed(2), std::nullopt) << "empty: all";
}

TEST(Model, WhatIsWrittenOfAPluginTellsItFromOthers) {
  const auto suffix = [](const std::string& name) {
    const Bootstrap bootstrap = load_case(name);
    return std::get<WasmPlugin>(manager(bootstrap).http_filters.at(0).config).plugin.key_suffix;
  };
  EXPECT_NE(suffix("wasm_fail_open"), suffix("wasm_vm_capabilities"));
  EXPECT_NE(suffix("wasm_all_fields"), suffix("wasm_vm_capabilities"));
  EXPECT_EQ(suffix("wasm_struct_configuration"), suffix("wasm_vm_capabilities"));
}

TEST(Model, AStructIsItsProtobufBytesForTheGuest) {
  const Bootstrap bootstrap = load_case("wasm_struct_configuration");
  const std::string& bytes = std::get<WasmPlugin>(manager(bootstrap).http_filters.at(0).config).plugin.configuration;
  // "a" is the number 1.
  EXPECT_EQ(bytes.substr(0, 16), std::string("\x0a\x0e\x0a\x01"
                                             "a\x12\x09\x11\0\0\0\0\0\0\xf0\x3f",
                                             16));
}

TEST(Model, Node) {
  const Bootstrap bootstrap = load_case("bootstrap_node");
  EXPECT_EQ(bootstrap.node.id, "a");
  EXPECT_EQ(bootstrap.node.locality.zone, "z");
  ASSERT_EQ(bootstrap.node.metadata.size(), 2u);
  EXPECT_EQ(bootstrap.node.metadata[1].second, "\"5000000000\"");
  EXPECT_EQ(load_case("source_json_ok").node.id, "café \U0001F600");
  EXPECT_EQ(load_case("source_json_ok").admin->address.to_string(), "[::1]:9901");
}

TEST(Model, RemoteCode) {
  const Bootstrap bootstrap = load_case("wasm_remote_fields");
  const WasmCode& code = std::get<WasmPlugin>(manager(bootstrap).http_filters.at(0).config).code;
  EXPECT_EQ(code.bytes, nullptr);
  EXPECT_TRUE(code.nack_on_code_cache_miss);
  ASSERT_TRUE(code.remote);
  EXPECT_EQ(code.filename, "http://modules.test:8080/filter.wasm?[redacted]");
  EXPECT_EQ(bootstrap.redacted_json.find("v=1"), std::string::npos);
  EXPECT_EQ(code.remote->host, "modules.test:8080");
  EXPECT_EQ(code.remote->path, "/filter.wasm?v=1");
  EXPECT_EQ(code.remote->cluster, "app");
  EXPECT_EQ(code.remote->timeout, Milliseconds(2500));
  EXPECT_EQ(code.remote->sha256, "d2a84f4b8b650937ec8f73cd8be2c74add5a911ba64df27458ed8229da804a26");
  EXPECT_EQ(code.remote->num_retries, 5u);
  EXPECT_EQ(code.remote->back_off_base, Milliseconds(250));
  EXPECT_EQ(code.remote->back_off_max, Milliseconds(2000));
}

TEST(Model, WasmServicesAndAccessLoggers) {
  const Bootstrap services = load_case("bootstrap_wasm_service");
  ASSERT_EQ(services.wasm_services.size(), 1u);
  EXPECT_TRUE(services.wasm_services[0].singleton);
  EXPECT_EQ(services.wasm_services[0].wasm.plugin.vm_id, "receiver");
  const Bootstrap logging = load_case("access_log_wasm");
  const AccessLog& log = manager(logging).access_logs.at(0);
  EXPECT_EQ(log.sink, AccessLog::Sink::kWasm);
  EXPECT_TRUE(log.filter);
  ASSERT_TRUE(log.wasm);
  EXPECT_EQ(log.wasm->plugin.root_id, "r");
}

TEST(Model, FormsOfMessagesWhereScalarsAreUsual) {
  const Bootstrap durations = load_case("type_duration_map");
  const auto& action = std::get<RouteAction>(first_route(durations).action);
  EXPECT_EQ(action.timeout, Milliseconds(60'001));  // rounded up
  EXPECT_EQ(action.idle_timeout, Milliseconds(0));
  const Bootstrap bootstrap = load_case("type_wrapper_map");
  EXPECT_TRUE(manager(bootstrap).use_remote_address);
  EXPECT_EQ(manager(bootstrap).max_request_headers_kb, 30u);
  EXPECT_FALSE(manager(bootstrap).generate_request_id);
}

TEST(Model, ListsInListsAreOneList) {
  EXPECT_EQ(manager(load_case("type_list_in_list")).route_config.request_headers.remove,
            (std::vector<std::string>{"x-a", "x-b", "x-c"}));
}

TEST(Model, RequestsThatGoOutAsTheyCame) {
  const Bootstrap bootstrap = load_case("clusters_protocol_selection");
  const Cluster& cluster = bootstrap.clusters.at(0);
  EXPECT_TRUE(cluster.as_downstream);
  EXPECT_EQ(cluster.http2.value().max_concurrent_streams, 10u);
  EXPECT_FALSE(load_case("clusters_http2").clusters.at(0).as_downstream);
}

TEST(Model, SchemeAndInternalHeaders) {
  EXPECT_EQ(manager(load_case("hcm_scheme")).scheme_to_overwrite, "https");
  EXPECT_EQ(manager(load_case("routes_internal_only_headers")).route_config.internal_only_headers,
            (std::vector<std::string>{"x-internal", "x-token"}));
}

TEST(Model, CorsByFilterAndByField) {
  const Bootstrap bootstrap = load_case("cors_everything");
  const VirtualHost& host = manager(bootstrap).route_config.virtual_hosts.at(0);
  EXPECT_EQ(host.cors.value().allow_origins.size(), 2u);
  EXPECT_EQ(host.cors->allow_credentials, true);
  EXPECT_FALSE(host.cors->allow_private_network_access.has_value());
  ASSERT_EQ(host.cors_policies.size(), 2u);
  EXPECT_EQ(host.cors_policies[0].filter, "cors");
  EXPECT_EQ(host.cors_policies[0].policy.enabled.numerator, 5u);
  EXPECT_EQ(host.cors_policies[0].policy.enabled.denominator, 10'000u);
  EXPECT_EQ(host.cors_policies[0].policy.forward_not_matching_preflights, false);
  EXPECT_EQ(host.cors_policies[1].policy.allow_methods, "GET");
  EXPECT_EQ(std::get<RouteAction>(first_route(bootstrap).action).cors.value().allow_methods, "PATCH");
  EXPECT_TRUE(std::holds_alternative<CorsFilter>(manager(bootstrap).http_filters.at(0).config));
}

TEST(Model, WeightedClusters) {
  const Bootstrap bootstrap = load_case("routes_weighted");
  const auto& weighted = std::get<RouteAction>(first_route(bootstrap).action).weighted_clusters;
  ASSERT_EQ(weighted.size(), 2u);
  EXPECT_EQ(weighted[0].cluster, "app");
  EXPECT_EQ(weighted[0].weight, 3u);
  EXPECT_EQ(weighted[0].request_headers.add.at(0).name, "x-a");
  EXPECT_EQ(weighted[0].response_headers.remove.at(0), "x-c");
}

TEST(Model, AListenerForEachFilterChain) {
  const Bootstrap bootstrap = load_case("listener_chains");
  ASSERT_EQ(bootstrap.listeners.size(), 3u);
  const Listener& first = bootstrap.listeners[0];
  EXPECT_TRUE(first.chooses_chain);
  EXPECT_EQ(first.choice_timeout, Milliseconds(1000));
  EXPECT_TRUE(first.goes_on_without_choice);
  EXPECT_FALSE(first.chain_of.has_value());
  EXPECT_EQ(first.chain_match.server_names, (std::vector<std::string>{"a.test", "*.b.test"}));
  EXPECT_EQ(first.chain_match.transport_protocol, "tls");
  EXPECT_EQ(bootstrap.listeners[1].chain_of, 0u);
  EXPECT_FALSE(bootstrap.listeners[1].chain_match.is_default);
  EXPECT_TRUE(bootstrap.listeners[2].chain_match.is_default);
  EXPECT_EQ(bootstrap.listeners[2].filter_chain_name, "c");
  EXPECT_FALSE(load_case("listener_tcp_proxy").listeners.at(0).chooses_chain);
}

TEST(Model, SecretsWhereTheyAreNamed) {
  const Bootstrap bootstrap = load_case("tls_secrets");
  EXPECT_EQ(bootstrap.listeners.at(0).tls.value().certificates.size(), 1u);
  const TlsValidation& validation = bootstrap.clusters.at(0).tls.value().validation.value();
  EXPECT_FALSE(validation.trusted_ca.empty());
  EXPECT_TRUE(validation.anchored);
  EXPECT_EQ(validation.subject_alt_names.size(), 1u);
  EXPECT_EQ(bootstrap.redacted_json.find("hidden"), std::string::npos);
}

}  // namespace
}  // namespace inlay::config
