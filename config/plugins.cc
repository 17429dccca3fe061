// SPDX-License-Identifier: Apache-2.0
#include "config/plugins.h"

#include <algorithm>

namespace inlay::config {

std::vector<const WasmPlugin*> wasm_plugins(const Bootstrap& bootstrap) {
  std::vector<const WasmPlugin*> all;
  for (const WasmService& service : bootstrap.wasm_services) all.push_back(&service.wasm);
  for (const Listener& listener : bootstrap.listeners) {
    for (const NetworkFilter& filter : listener.network_filters) all.push_back(&filter.wasm);
    for (const HttpFilter& filter : listener.http.http_filters) {
      const auto* wasm = std::get_if<WasmPlugin>(&filter.config);
      if (wasm != nullptr && is_ever_on(filter, listener.http)) all.push_back(wasm);
    }
    for (const AccessLog& log : listener.access_logs())
      if (log.wasm) all.push_back(&*log.wasm);
  }
  return all;
}

bool is_ever_on(const HttpFilter& filter, const HttpConnectionManager& manager) {
  if (!filter.disabled) return true;
  const auto turns_on = [&](const FilterSwitches& switches) {
    return std::any_of(switches.begin(), switches.end(),
                       [&](const FilterSwitch& s) { return s.on && s.filter == filter.name; });
  };
  const RouteConfiguration& routes = manager.route_config;
  return turns_on(routes.filter_switches) ||
         std::any_of(routes.virtual_hosts.begin(), routes.virtual_hosts.end(), [&](const VirtualHost& host) {
           return turns_on(host.filter_switches) ||
                  std::any_of(host.routes.begin(), host.routes.end(),
                              [&](const Route& route) { return turns_on(route.filter_switches); });
         });
}

}  // namespace inlay::config
