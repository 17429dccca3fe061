// SPDX-License-Identifier: Apache-2.0
#include "tester/source_backtrace.h"

#include <cstdint>
#include <map>
#include <memory>
#include <variant>
#include <vector>

#include "coverage/source_places.h"
#include "tester/bootstrap.h"

namespace inlay::tester {
namespace {

using Bytes = std::shared_ptr<const std::vector<uint8_t>>;

// "the VM of plugin guard (FAIL_CLOSED), ... has failed": those of one VM have one module.
bool names(std::string_view line, const config::WasmPlugin& plugin) {
  constexpr std::string_view kBefore = "the VM of plugin ";
  if (!line.starts_with(kBefore)) return false;
  line.remove_prefix(kBefore.size());
  return line.starts_with(plugin.plugin.name + " (") || line.starts_with(plugin.plugin.vm_id + " has failed");
}

Bytes module_of(const config::Bootstrap& bootstrap, std::string_view line) {
  for (const config::Listener& listener : bootstrap.listeners) {
    for (const config::NetworkFilter& filter : listener.network_filters) {
      if (names(line, filter.wasm)) return filter.wasm.code.bytes;
    }
    for (const config::HttpFilter& filter : listener.http.http_filters) {
      const auto* wasm = std::get_if<config::WasmPlugin>(&filter.config);
      if (wasm != nullptr && names(line, *wasm)) return wasm->code.bytes;
    }
  }
  for (const config::WasmService& service : bootstrap.wasm_services) {
    if (names(line, service.wasm)) return service.wasm.code.bytes;
  }
  return nullptr;
}

}  // namespace

std::string with_source(const Run& run, std::string_view line, std::string_view backtrace) {
  std::map<std::string, uint16_t> ports;
  for (const Upstream& upstream : run.c.upstreams) ports[upstream.name] = 1;  // nothing connects
  Bytes module;
  if (const auto bootstrap = load_bootstrap(run, ports)) module = module_of(*bootstrap, line);
  const auto places = module ? coverage::SourcePlaces::of(*module) : coverage::SourcePlaces();
  return places.in_backtrace(backtrace);
}

}  // namespace inlay::tester
