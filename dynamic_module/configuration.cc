// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/configuration.h"

#include <algorithm>
#include <utility>

#include "dynamic_module/modules.h"
#include "dynamic_module/process.h"
#include "dynamic_module/settings.h"

namespace inlay::dynamic_module {

Result<std::unique_ptr<Configuration>> Configuration::create(envoy::FilterConfig* config, std::string_view name,
                                                             std::string_view text) {
  INLAY_TRY(Settings settings, read_settings(name, text));
  INLAY_TRY(auto module, find_module(settings));
  return start(config, std::move(settings.plugin), std::move(module));
}

Result<std::unique_ptr<Configuration>> Configuration::start(envoy::FilterConfig* config,
                                                            host::PluginConfig plugin_config,
                                                            std::shared_ptr<engine::Module> module) {
  host::Host& host = Process::get().host();
  INLAY_TRY(auto plugin, host.create_plugin(std::move(plugin_config), std::move(module)));
  std::unique_ptr<Configuration> made(new Configuration(config));
  const bool validates = envoy::is_validation_mode != nullptr && envoy::is_validation_mode();
  const uint32_t workers = validates ? 0 : std::max(envoy::get_concurrency(), 1u);
  for (uint32_t i = 0; i < workers; ++i)
    made->vms_.push_back(std::make_unique<WorkerVm>(host, plugin, made->thread_, made->calls_));
  return made;
}

Configuration::~Configuration() {
  thread_.stop();
  main_.close();
  vms_.clear();
}

// A VM has a lock, so that an index that Envoy gives twice does no harm.
WorkerVm& Configuration::vm_of(envoy::Filter* filter) {
  return *vms_[envoy::http_filter_get_worker_index(filter) % vms_.size()];
}

}  // namespace inlay::dynamic_module
