// SPDX-License-Identifier: Apache-2.0
#pragma once

// Process: what all configurations share. Made with the first of them, and never destroyed: the module stays loaded.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "dynamic_module/log.h"
#include "dynamic_module/settings.h"
#include "host/host.h"
#include "host/standalone.h"
#include "stats/metrics.h"

namespace inlay::dynamic_module {

class Process {
 public:
  static Process& get();

  // The host of all VMs that have these limits, node and strictness: they share data and queues by their vm_id. Any
  // thread.
  host::Host& host(const Settings& settings);
  const stats::MetricStore& metrics() const { return metrics_; }

 private:
  Process() = default;

  host::SystemClock clock_;
  EnvoyLog log_;
  stats::MetricStore metrics_;
  std::mutex mutex_;
  // By memory, time, strictness and node.
  std::map<std::tuple<uint64_t, int64_t, bool, std::string>, std::unique_ptr<host::Host>> hosts_;
};

}  // namespace inlay::dynamic_module
