// SPDX-License-Identifier: Apache-2.0
#pragma once

// AccessLogger: an entry of Envoy's access logs (envoy.access_loggers.dynamic_modules) whose guest hears proxy_on_log
// of each stream with its root context, as with envoy.access_loggers.wasm. Its VMs are those of all configurations of
// its key (vm_set.h). Envoy gives such a module no way to the main thread: a guest's calls are refused unless a filter
// shares its VM.

#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dynamic_module/envoy_abi.h"
#include "dynamic_module/settings.h"
#include "dynamic_module/vm_set.h"
#include "host/host.h"

namespace inlay::dynamic_module {

class AccessLogger {
 public:
  // On the main thread; as Configuration's.
  static Result<std::unique_ptr<AccessLogger>> create(std::string_view name, std::string_view text);
  static Result<std::unique_ptr<AccessLogger>> start(Settings settings, std::shared_ptr<engine::Module> module);
  ~AccessLogger();

  // On a worker, about a stream that is over.
  void log(envoy::AccessLogger* logger);

 private:
  AccessLogger(std::shared_ptr<host::Plugin> plugin, std::shared_ptr<VmSet> vms);

  const std::shared_ptr<host::Plugin> plugin_;
  const std::shared_ptr<VmSet> vms_;  // none while Envoy only validates
  std::vector<host::WorkerPlugin*> there_;
};

}  // namespace inlay::dynamic_module
