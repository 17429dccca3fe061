// SPDX-License-Identifier: Apache-2.0
#include "proxy/config/plugins.h"

namespace inlay::proxy::config {

std::vector<const WasmPlugin*> wasm_plugins(const Bootstrap& bootstrap) {
  std::vector<const WasmPlugin*> all;
  for (const WasmService& service : bootstrap.wasm_services) all.push_back(&service.wasm);
  for (const Listener& listener : bootstrap.listeners) {
    for (const NetworkFilter& filter : listener.network_filters) all.push_back(&filter.wasm);
    for (const HttpFilter& filter : listener.http.http_filters) {
      const auto* wasm = std::get_if<WasmPlugin>(&filter.config);
      if (wasm != nullptr && !filter.disabled) all.push_back(wasm);
    }
    for (const AccessLog& log : listener.access_logs())
      if (log.wasm) all.push_back(&*log.wasm);
  }
  return all;
}

}  // namespace inlay::proxy::config
