// SPDX-License-Identifier: Apache-2.0
#pragma once

// Configuration: one entry in a listener's chain of HTTP filters, with its plugin, in a VM for each of Envoy's workers.

#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dynamic_module/envoy_abi.h"
#include "dynamic_module/exported_metrics.h"
#include "dynamic_module/main_calls.h"
#include "dynamic_module/main_streams.h"
#include "dynamic_module/main_thread.h"
#include "dynamic_module/settings.h"
#include "dynamic_module/task_thread.h"
#include "dynamic_module/vm_set.h"
#include "dynamic_module/worker_vm.h"
#include "host/host.h"

namespace inlay::dynamic_module {

class Configuration {
 public:
  // On the main thread: reads `text` (settings.h), loads the module, and start(). Errors say what is wrong with which
  // field, or what the guest says.
  static Result<std::unique_ptr<Configuration>> create(envoy::FilterConfig* config, std::string_view name,
                                                       std::string_view text);
  // Runs the canary, and starts a VM for each worker; when Envoy only validates, no VM.
  static Result<std::unique_ptr<Configuration>> start(envoy::FilterConfig* config, Settings settings,
                                                      std::shared_ptr<engine::Module> module);
  // Ends the plugin, and all VMs unless others share them: waits for the guest that ticks or gets an answer just now,
  // at most as long as a call may take. No stream is left.
  ~Configuration();

  // Where a stream's guest is.
  struct Place {
    WorkerVm& vm;
    host::WorkerPlugin& plugin;
  };
  // In on_http_filter_new, on the worker.
  Place place_of(envoy::Filter* filter);
  MainThread& main_thread() { return main_; }
  MainCalls& calls() { return calls_; }
  MainStreams& streams() { return streams_; }

 private:
  Configuration(envoy::FilterConfig* config, const stats::MetricStore& metrics)
      : main_(config), calls_(config, main_), streams_(config, main_), metrics_(config, metrics) {}
  // Tells Envoy the metrics, in a while and from then on.
  void tell_metrics_later();
  void stop_telling();

  MainThread main_;
  MainCalls calls_;
  MainStreams streams_;
  ExportedMetrics metrics_;
  VmMember member_{calls_, streams_};
  std::shared_ptr<host::Plugin> plugin_;
  std::shared_ptr<VmSet> vms_;              // none while Envoy only validates
  std::vector<host::WorkerPlugin*> there_;  // by the worker's index
  // Of tell_metrics_later(), which runs on the VMs' thread.
  struct Telling {
    std::recursive_mutex mutex;
    bool stopped = false;
    TaskThread::Id task = 0;
  };
  const std::shared_ptr<Telling> telling_ = std::make_shared<Telling>();
};

}  // namespace inlay::dynamic_module
