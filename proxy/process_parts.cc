// SPDX-License-Identifier: Apache-2.0
#include "proxy/process_parts.h"

#include <algorithm>

#include "proxy/wasm_filter/attributes.h"

namespace inlay::proxy {

ProcessParts::ProcessParts(const config::Bootstrap& bootstrap, const ServerOptions& options, logging::Logger& l)
    : log(l),
      metrics(std::max<size_t>(options.concurrency, 1) + 1),
      host({.metrics = &metrics,
            .clock = &clock,
            .log = &l,
            .limits = options.limits,
            .envoy_strict = options.envoy_strict,
            .compat_legacy_properties = options.compat_legacy_properties,
            .fail_hazards = options.fail_hazards,
            .root_property = [this](const auto& path, std::string& value) { return root_property(path, value); }}),
      modules(host, l, options.engine),
      node_(std::make_shared<const config::Node>(bootstrap.node)) {}

void ProcessParts::set_node(const config::Node& node) {
  auto next = std::make_shared<const config::Node>(node);
  const std::lock_guard lock(mutex_);
  node_ = std::move(next);
}

std::shared_ptr<net::ClientLimit> ProcessParts::clients_of(const std::string& listener) {
  const std::lock_guard lock(mutex_);
  auto& limit = listener_clients_[listener];
  if (!limit) limit = std::make_shared<net::ClientLimit>();
  return limit;
}

abi::Status ProcessParts::root_property(const std::vector<std::string_view>& path, std::string& value) const {
  std::shared_ptr<const config::Node> node;
  {
    const std::lock_guard lock(mutex_);
    node = node_;
  }
  return wasm_filter::root_attribute({.node = node.get()}, path, value);
}

}  // namespace inlay::proxy
