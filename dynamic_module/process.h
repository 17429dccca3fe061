// SPDX-License-Identifier: Apache-2.0
#pragma once

// Process: what all configurations share. Made with the first of them, and never destroyed: the module stays loaded.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "dynamic_module/log.h"
#include "engine/engine.h"
#include "host/host.h"
#include "host/standalone.h"
#include "stats/metrics.h"

namespace inlay::dynamic_module {

class Process {
 public:
  static Process& get();

  // The host of all VMs that have these limits: they share data and queues by their vm_id. Any thread.
  host::Host& host(const engine::Limits& limits);
  const stats::MetricStore& metrics() const { return metrics_; }

 private:
  Process() = default;

  host::SystemClock clock_;
  EnvoyLog log_;
  stats::MetricStore metrics_;
  std::mutex mutex_;
  std::map<std::pair<uint64_t, int64_t>, std::unique_ptr<host::Host>> hosts_;  // by memory and time
};

}  // namespace inlay::dynamic_module
