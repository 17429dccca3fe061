// SPDX-License-Identifier: Apache-2.0
#pragma once

// ExportedMetrics: guests' metrics as Envoy's statistics. A guest counts without asking Envoy; what has changed is told
// to Envoy now and then.
//
// Envoy makes a module's statistics while it makes the configuration, and none later: a guest's metric is Envoy's if it
// was defined by the end of the canary, in on_vm_start or on_configure. One that comes later is so from the next
// configuration on, and the log says so once. It is one statistic for all workers, and for all configurations that have
// it.
//
// A histogram's values are told to the two digits that Envoy's own histograms have, too.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dynamic_module/envoy_abi.h"
#include "stats/metrics.h"

namespace inlay::dynamic_module {

class ExportedMetrics {
 public:
  // Of a histogram no more are told at a time; those that are left wait for the next.
  static constexpr uint64_t kMostValues = 100'000;

  // In on_http_filter_config_new: defines what is in the store. Both outlive it.
  ExportedMetrics(envoy::FilterConfig* config, const stats::MetricStore& store);
  // False: there is no way to tell it outside of a stream, which is so in Envoy 1.38.
  static bool can_tell();
  // On the main thread: tells Envoy what has changed, and the log of metrics that have come too late.
  void tell();

 private:
  struct Exported {
    const stats::MetricStore::Metric* metric;
    size_t id;  // Envoy's
  };

  void tell_of_late_ones();

  envoy::FilterConfig* const config_;
  const stats::MetricStore& store_;
  size_t looked_at_ = 0;  // so many were there
  std::vector<Exported> metrics_;
};

}  // namespace inlay::dynamic_module
