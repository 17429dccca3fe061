// SPDX-License-Identifier: Apache-2.0
#include "proxy/server_parts.h"

#include <utility>
#include <variant>

#include "config/plugins.h"
#include "proxy/downstream/listener_stats.h"

namespace inlay::proxy {

ServerParts::ServerParts(const config::Bootstrap& b, const ServerOptions& options, ProcessParts& p,
                         upstream::ResolveFunction resolve)
    : bootstrap(b),
      process(p),
      clusters(
          b.clusters, p.metrics, [&p](std::string_view message) { p.log.warn("upstream", message); },
          std::move(resolve)),
      log_files({.metrics = p.metrics, .warn = [&p](std::string_view what) { p.log.warn("main", what); }}),
      shared{.bootstrap = b,
             .log = p.log,
             .metrics = p.metrics,
             .host = p.host,
             .clusters = clusters,
             .compat_legacy_properties = options.compat_legacy_properties,
             .log_flush_interval = options.log_flush_interval,
             .envoy_strict = options.envoy_strict,
             .clients = p.clients,
             .next_refusal = p.next_refusal} {
  if (options.envoy_strict) clusters.send_lengths_as_given();
}

Result<Unit> ServerParts::prepare() {
  INLAY_RETURN_IF_ERROR(clusters.prepare_tls());
  INLAY_RETURN_IF_ERROR(prepare_services());
  for (const config::Listener& listener : bootstrap.listeners) {
    INLAY_RETURN_IF_ERROR(prepare_listener(listener));
  }
  return Unit{};
}

Result<Unit> ServerParts::open_logs() {
  for (size_t i = 0; i < bootstrap.listeners.size(); ++i) {
    const std::vector<config::AccessLog>& logs = bootstrap.listeners[i].access_logs();
    for (size_t j = 0; j < logs.size(); ++j) {
      if (logs[j].wasm) continue;
      INLAY_TRY(shared.listeners[i].access_loggers[j].file, log_files.open(logs[j]));
    }
  }
  return Unit{};
}

void ServerParts::limit_clients() const {
  for (size_t i = 0; i < bootstrap.listeners.size(); ++i)
    if (const auto& most = bootstrap.listeners[i].max_clients) shared.listeners[i].clients->set_most(*most);
}

Result<std::shared_ptr<host::Plugin>> ServerParts::create_plugin(const config::WasmPlugin& wasm) {
  INLAY_TRY(auto plugin, wasm.code.remote ? create_remote_plugin(wasm) : process.modules.create_plugin(wasm));
  if (on_plugin) on_plugin(plugin);
  return plugin;
}

Result<Unit> ServerParts::prepare_services() {
  for (const config::WasmService& service : bootstrap.wasm_services) {
    INLAY_TRY(auto plugin, create_plugin(service.wasm));
    if (!service.singleton) shared.services.push_back(std::move(plugin));
  }
  return Unit{};
}

Result<std::shared_ptr<const tls::ServerContext>> ServerParts::prepare_tls(const config::Listener& listener) {
  if (!listener.tls) return std::shared_ptr<const tls::ServerContext>();
  auto context = tls::ServerContext::create(*listener.tls,
                                            tls::Stats(process.metrics, downstream::listener_stat_prefix(listener)));
  if (context) return std::shared_ptr<const tls::ServerContext>(*std::move(context));
  Error error = context.error();
  error.where = "listener '" + listener.name + "', transport_socket";
  return error;
}

Result<Unit> ServerParts::prepare_network(const config::Listener& listener, SharedState::ListenerParts& parts) {
  for (const config::NetworkFilter& filter : listener.network_filters) {
    INLAY_TRY(auto plugin, create_plugin(filter.wasm));
    parts.network_plugins.push_back(std::move(plugin));
  }
  return Unit{};
}

Result<Unit> ServerParts::prepare_http(const config::Listener& listener, SharedState::ListenerParts& parts) {
  auto routes = router::RouteTable::compile(listener.http.route_config,
                                            [this](std::string_view name) { return clusters.find(name); });
  if (!routes) {
    Error error = routes.error();
    error.where = "listener '" + listener.name + "', " + error.where;
    return error;
  }
  parts.routes = *routes;
  for (const config::HttpFilter& filter : listener.http.http_filters) {
    const auto* wasm = std::get_if<config::WasmPlugin>(&filter.config);
    if (wasm == nullptr || !config::is_ever_on(filter, listener.http)) {
      parts.plugins.emplace_back();
      continue;
    }
    INLAY_TRY(auto plugin, create_plugin(*wasm));
    parts.plugins.push_back(std::move(plugin));
  }
  return Unit{};
}

Result<Unit> ServerParts::prepare_listener(const config::Listener& listener) {
  SharedState::ListenerParts parts;
  if (listener.max_clients) parts.clients = process.clients_of(listener.name);
  if (listener.address.is_pipe) parts.pipe = std::make_shared<net::SharedPipe>();
  INLAY_TRY(parts.tls, prepare_tls(listener));
  INLAY_RETURN_IF_ERROR(prepare_network(listener, parts));
  if (!listener.tcp_proxy) {
    INLAY_RETURN_IF_ERROR(prepare_http(listener, parts));
  }
  for (const config::AccessLog& config : listener.access_logs()) {
    SharedState::AccessLogger logger;
    INLAY_TRY(logger.log, access_log::AccessLog::compile(config));
    if (config.wasm) {
      INLAY_TRY(logger.plugin, create_plugin(*config.wasm));
    }
    parts.access_loggers.push_back(std::move(logger));
  }
  shared.listeners.push_back(std::move(parts));
  return Unit{};
}

}  // namespace inlay::proxy
