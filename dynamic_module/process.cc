// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/process.h"

#include <string_view>
#include <vector>

#include "dynamic_module/node.h"

namespace inlay::dynamic_module {

Process& Process::get() {
  static Process* const process = new Process;
  return *process;
}

host::Host& Process::host(const Settings& settings) {
  const engine::Limits& limits = settings.limits;
  const std::lock_guard lock(mutex_);
  auto& host = hosts_[{limits.max_memory_bytes, limits.call_budget.count(), settings.envoy_strict, settings.node}];
  if (host == nullptr) {
    host::HostOptions options{.metrics = &metrics_, .clock = &clock_, .log = &log_};
    options.limits = limits;
    options.envoy_strict = settings.envoy_strict;
    options.root_property = [node = settings.node](const std::vector<std::string_view>& path, std::string& value) {
      return get_root_property(node, path, value);
    };
    host = std::make_unique<host::Host>(std::move(options));
  }
  return *host;
}

}  // namespace inlay::dynamic_module
