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
  host::Host& host = Process::get().host(settings);
  INLAY_TRY(auto plugin, host.create_plugin(std::move(settings.plugin), std::move(module)));
  std::unique_ptr<Configuration> made(new Configuration(config, Process::get().metrics()));
  const bool validates = envoy::is_validation_mode != nullptr && envoy::is_validation_mode();
  const uint32_t workers = validates ? 0 : std::max(envoy::get_concurrency(), 1u);
  made->plugin_ = plugin;
  if (workers == 0) return made;
  made->vms_ = VmSet::of(host, *plugin, settings.node, workers);
  made->there_ = made->vms_->join(&made->member_, plugin);
  if (ExportedMetrics::can_tell()) made->tell_metrics_later();
  return made;
}

// The VMs' thread may outlive this: it looks whether it is still there.
void Configuration::tell_metrics_later() {
  const std::lock_guard lock(telling_->mutex);
  if (telling_->stopped) return;
  telling_->task = vms_->thread().run_at(TaskThread::Clock::now() + kMetricsPeriod, [this, telling = telling_] {
    const std::lock_guard held(telling->mutex);
    if (telling->stopped) return;
    (void)main_.post([this] { metrics_.tell(); });
    tell_metrics_later();
  });
}

void Configuration::stop_telling() {
  const std::lock_guard lock(telling_->mutex);
  telling_->stopped = true;
  vms_->thread().cancel(telling_->task);
}

Configuration::~Configuration() {
  main_.close();
  if (vms_ == nullptr) return;
  stop_telling();
  vms_->leave(&member_, *plugin_);
}

// A VM has a lock, so that an index that Envoy gives twice does no harm.
Configuration::Place Configuration::place_of(envoy::Filter* filter) {
  const size_t worker = envoy::http_filter_get_worker_index(filter) % there_.size();
  return {vms_->vm(worker), *there_[worker]};
}

}  // namespace inlay::dynamic_module
