// SPDX-License-Identifier: Apache-2.0
#pragma once

// ExportedMetrics: guests' counters and gauges as Envoy's statistics. A guest counts without asking Envoy; what has
// changed is told to Envoy now and then.
//
// Envoy makes a module's statistics while it makes the configuration, and none later: a guest's metric is Envoy's if it
// was defined by the end of the canary, in on_vm_start or on_configure. It is one statistic for all workers, and for
// all configurations that have it.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dynamic_module/envoy_abi.h"
#include "stats/metrics.h"

namespace inlay::dynamic_module {

class ExportedMetrics {
 public:
  // In on_http_filter_config_new: defines what is in the store. Both outlive it.
  ExportedMetrics(envoy::FilterConfig* config, const stats::MetricStore& store);
  // False: there is nothing to tell; or no way to tell it outside of a stream, which is so in Envoy 1.38.
  bool any() const { return !metrics_.empty(); }
  // On the main thread: tells Envoy what has changed.
  void tell();

 private:
  struct Exported {
    const stats::MetricStore::Metric* metric;
    bool counter;
    size_t id;  // Envoy's
  };

  envoy::FilterConfig* const config_;
  std::vector<Exported> metrics_;
};

}  // namespace inlay::dynamic_module
