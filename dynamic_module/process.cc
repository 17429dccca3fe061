// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/process.h"

namespace inlay::dynamic_module {

Process& Process::get() {
  static Process* const process = new Process;
  return *process;
}

host::Host& Process::host(const engine::Limits& limits) {
  const std::lock_guard lock(mutex_);
  auto& host = hosts_[{limits.max_memory_bytes, limits.call_budget.count()}];
  if (host == nullptr) {
    host::HostOptions options{.metrics = &metrics_, .clock = &clock_, .log = &log_};
    options.limits = limits;
    host = std::make_unique<host::Host>(std::move(options));
  }
  return *host;
}

}  // namespace inlay::dynamic_module
