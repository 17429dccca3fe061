// SPDX-License-Identifier: Apache-2.0
// config/listener/v3 Listener and FilterChain.
#include "config/builders.h"
#include "config/leave_out.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr std::string_view kManager =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
constexpr std::string_view kTcpProxy = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
constexpr std::string_view kWasm = "envoy.extensions.filters.network.wasm.v3.Wasm";
constexpr std::string_view kTlsInspector = "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector";

constexpr FieldRule kListener[] = {
    {"name"},
    {"address"},
    {"stat_prefix"},
    {"filter_chains", Support::kYes, "chosen by the client's server name and by whether it speaks TLS"},
    {"default_filter_chain"},
    {"use_original_dst", Support::kOnly, "", "false"},
    {"per_connection_buffer_limit_bytes"},
    {"metadata"},
    {"drain_type", Support::kIgnored},
    {"listener_filters", Support::kYes,
     "tls_inspector only: with TLS, it makes the name known that the client asks for; as in Envoy, where the choice "
     "of a filter chain needs one it is there"},
    {"listener_filters_timeout", Support::kYes, "of the choice among filter chains"},
    {"continue_on_listener_filters_timeout", Support::kYes, "of the choice among filter chains"},
    {"transparent", Support::kOnly, "", "false"},
    {"freebind", Support::kIgnored},
    {"socket_options", Support::kIgnored},
    {"tcp_fast_open_queue_length", Support::kIgnored},
    {"traffic_direction"},
    {"connection_balance_config", Support::kIgnored, "the kernel balances (SO_REUSEPORT)"},
    {"reuse_port", Support::kIgnored, "every worker has its own socket (SO_REUSEPORT), but for pipes"},
    {"enable_reuse_port", Support::kIgnored, "every worker has its own socket (SO_REUSEPORT), but for pipes"},
    {"access_log", Support::kIgnored, "Inlay logs in HttpConnectionManager.access_log and TcpProxy.access_log"},
    {"tcp_backlog_size", Support::kIgnored},
    {"max_connections_to_accept_per_socket_event", Support::kIgnored},
    {"bind_to_port", Support::kOnly, "", "true"},
    {"enable_mptcp", Support::kIgnored},
    {"ignore_global_conn_limit"},
    {"bypass_overload_manager", Support::kIgnored, "there are no overload actions"},
    {"tcp_keepalive", Support::kIgnored},
};
constexpr FieldRule kFilterChain[] = {
    {"name"},
    {"filters", Support::kYes, "an HttpConnectionManager or a TcpProxy, with any number of Wasm filters before it"},
    {"filter_chain_match"},
    {"use_proxy_proto", Support::kOnly, "", "false"},
    {"metadata", Support::kIgnored},
    {"transport_socket", Support::kYes, "raw_buffer and tls (DownstreamTlsContext)"},
    {"transport_socket_connect_timeout"},
};
constexpr FieldRule kFilter[] = {
    {"name"},
    {"typed_config"},
    {"config_discovery", Support::kNo, "write the filter's configuration into `typed_config`"},
};
constexpr FieldRule kListenerFilter[] = {
    {"name"},
    {"typed_config"},
    {"config_discovery", Support::kNo, "write the filter's configuration into `typed_config`"},
    {"filter_disabled", Support::kIgnored, "a tls_inspector works on every connection"},
};
constexpr FieldRule kTlsInspectorRules[] = {
    {"enable_ja3_fingerprinting", Support::kNo, "remove it; nothing here makes fingerprints of clients"},
    {"enable_ja4_fingerprinting", Support::kNo, "remove it; nothing here makes fingerprints of clients"},
    {"initial_read_buffer_size", Support::kIgnored},
    {"close_connection_on_client_hello_parsing_errors", Support::kIgnored, "OpenSSL reads the client's hello"},
    {"max_client_hello_size", Support::kIgnored, "OpenSSL reads the client's hello"},
};
constexpr MessageRules kRules[] = {
    {"envoy.config.listener.v3.Listener", kListener},
    {"envoy.config.listener.v3.FilterChain", kFilterChain},
    {"envoy.config.listener.v3.ListenerFilter", kListenerFilter},
    {kTlsInspector, kTlsInspectorRules},
    {"envoy.config.listener.v3.Filter", kFilter},
};

// Puts a filter of the chain into `out`.
void build_filter(View filter, Listener& out, BuildContext& context) {
  context.require(filter, "name");
  if (filter.has("config_discovery")) return;
  if (!context.require(filter, "typed_config")) return;
  const TreeNode* node = context.typed_or_left_out(filter, {kManager, kTcpProxy, kWasm}, "a network filter");
  if (node == nullptr) return;
  if (node->any_type == kWasm) {
    out.network_filters.push_back({filter.text("name"), build_wasm(View(node), context)});
  } else if (node->any_type == kTcpProxy) {
    out.tcp_proxy = build_tcp_proxy(View(node), context);
  } else {
    out.http = build_http_connection_manager(View(node), context);
  }
}

// As Envoy has it: the last filter, and no other, takes the connection.
void check_order(const std::vector<View>& filters, BuildContext& context) {
  for (const View& filter : filters) {
    if (!filter["typed_config"]) continue;
    const std::string& type = filter["typed_config"].node().any_type;
    const bool terminal = type == kManager || type == kTcpProxy;
    const bool last = &filter == &filters.back();
    if (terminal && !last) {
      context.error(filter, "this filter takes the connection, so it must be the last of `filters`");
    } else if (last &&
               (type == kWasm || (!terminal && is_left_out(context.options.leave_out, filter.text("name"), type)))) {
      context.error(filter, "the last of `filters` must be one that takes the connection: " + std::string(kTcpProxy) +
                                " or " + std::string(kManager));
    }
  }
}

void build_filters(View chain, Listener& out, BuildContext& context) {
  const std::vector<View> filters = chain.list("filters");
  if (filters.empty()) {
    context.report.warning(chain.node(), "has no `filters`: as in Envoy, each connection is closed at once");
    out.closes_at_once = true;
  }
  for (View filter : filters) build_filter(filter, out, context);
  check_order(filters, context);
}

// Whether one of them is a tls_inspector.
bool build_listener_filters(View listener, BuildContext& context) {
  bool inspects_tls = false;
  for (View filter : listener.list("listener_filters")) {
    context.require(filter, "name");
    if (filter.has("config_discovery") || !context.require(filter, "typed_config")) continue;
    inspects_tls |= context.typed_or_left_out(filter, {kTlsInspector}, "a listener filter") != nullptr;
  }
  return inspects_tls;
}

void set_plugin_keys(View listener, Listener& out) {
  std::string suffix =
      out.traffic_direction == Listener::Direction::kUnspecified ? "" : listener.text("traffic_direction");
  for (const auto& [name, json] : out.metadata) suffix += "||" + name + json;
  for (HttpFilter& filter : out.http.http_filters)
    if (auto* wasm = std::get_if<WasmPlugin>(&filter.config)) wasm->plugin.key_suffix += suffix;
  for (NetworkFilter& filter : out.network_filters) filter.wasm.plugin.key_suffix += suffix;
}

// What all chains of a listener have.
Listener build_common(View listener, BuildContext& context) {
  Listener out;
  out.name = listener.text("name");
  if (listener.has("internal_listener") || context.require(listener, "address"))
    out.address = build_address(listener["address"], false, context);
  if (View compat = listener["address"]["socket_address"]["ipv4_compat"]; compat && compat.node().integer != 0)
    context.error(compat, out.address.host.find(':') == std::string::npos
                              ? "is of IPv6 addresses only"
                              : "is valid, but Inlay does not support it yet; use two listeners, of IPv4 and of IPv6");
  out.traffic_direction = static_cast<Listener::Direction>(listener.enumerator("traffic_direction"));
  out.per_connection_buffer_limit_bytes =
      listener.uint32("per_connection_buffer_limit_bytes", out.per_connection_buffer_limit_bytes);
  out.stat_prefix = listener.text("stat_prefix");
  out.ignore_global_conn_limit = listener.boolean("ignore_global_conn_limit");
  out.metadata = build_metadata(listener["metadata"]);
  out.choice_timeout = listener.duration("listener_filters_timeout", out.choice_timeout);
  out.goes_on_without_choice = listener.boolean("continue_on_listener_filters_timeout");
  return out;
}

// Of a kind that needs none, which is an error of its own.
bool without_chains(View listener) {
  const bool udp = listener["address"]["socket_address"].enumerator("protocol") != 0;
  return udp || listener.has("internal_listener") || listener.has("default_filter_chain");
}

void build_chain(View chain, Listener& out, bool inspects_tls, BuildContext& context) {
  build_filters(chain, out, context);
  const bool http2 = out.http.codec_type != HttpConnectionManager::CodecType::kHttp1;
  if (View socket = chain["transport_socket"]) out.tls = build_downstream_tls(socket, http2, context);
  if (out.tls) {
    out.tls->handshake_timeout = chain.duration("transport_socket_connect_timeout", Milliseconds(0));
    out.tls->tells_server_name = inspects_tls || chain.has("filter_chain_match");
  }
  out.filter_chain_name = chain.text("name");
}

}  // namespace

std::span<const MessageRules> listener_rules() {
  return kRules;
}

std::vector<Listener> build_listener(View listener, size_t place, BuildContext& context) {
  const Listener common = build_common(listener, context);
  const bool inspects_tls = build_listener_filters(listener, context);
  std::vector<View> chains = listener.list("filter_chains");
  if (chains.empty() && !without_chains(listener)) context.require(listener, "filter_chains");
  check_filter_chain_matches(chains, context);
  if (View last = listener["default_filter_chain"]) chains.push_back(last);
  std::vector<Listener> out;
  for (const View& chain : chains) {
    out.push_back(common);
    build_chain(chain, out.back(), inspects_tls, context);
    out.back().chain_match = build_filter_chain_match(chain, context);
    out.back().chain_match.is_default = &chain == &chains.back() && listener.has("default_filter_chain");
    if (out.size() > 1) out.back().chain_of = place;
    set_plugin_keys(listener, out.back());
  }
  if (out.empty()) out.push_back(common);
  const FilterChainMatch& first = out.front().chain_match;
  out.front().chooses_chain = out.size() > 1 || !first.server_names.empty() || !first.transport_protocol.empty();
  return out;
}

}  // namespace inlay::config
