// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/configuration.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "dynamic_module/modules.h"
#include "dynamic_module/process.h"

namespace inlay::dynamic_module {

namespace {
// Below the 5 s that Envoy lets go by, by default, from one flush of its statistics to the next.
constexpr std::chrono::seconds kMetricsPeriod{1};
}  // namespace

Result<std::unique_ptr<Configuration>> Configuration::create(envoy::FilterConfig* config, std::string_view name,
                                                             std::string_view text) {
  INLAY_TRY(Settings settings, read_settings(name, text));
  INLAY_TRY(auto module, find_module(settings));
  return start(config, std::move(settings), std::move(module));
}

Result<std::unique_ptr<Configuration>> Configuration::start(envoy::FilterConfig* config, Settings settings,
                                                            std::shared_ptr<engine::Module> module) {
  host::Host& host = Process::get().host(settings.limits);
  INLAY_TRY(auto plugin, host.create_plugin(std::move(settings.plugin), std::move(module)));
  std::unique_ptr<Configuration> made(new Configuration(config, Process::get().metrics()));
  const bool validates = envoy::is_validation_mode != nullptr && envoy::is_validation_mode();
  const uint32_t workers = validates ? 0 : std::max(envoy::get_concurrency(), 1u);
  for (uint32_t i = 0; i < workers; ++i)
    made->vms_.push_back(std::make_unique<WorkerVm>(host, plugin, made->thread_, made->calls_, made->streams_));
  if (workers > 0 && made->metrics_.any()) made->tell_metrics_later();
  return made;
}

void Configuration::tell_metrics_later() {
  thread_.run_at(TaskThread::Clock::now() + kMetricsPeriod, [this] {
    (void)main_.post([this] { metrics_.tell(); });
    tell_metrics_later();
  });
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
