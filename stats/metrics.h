// SPDX-License-Identifier: Apache-2.0
#pragma once

// MetricStore: every counter, gauge and histogram of a process, the proxy's own and the guests' alike, by name.
//
// Hot path: a worker adds to its own cell, without a lock or a shared cache line; reading sums the cells. A thread says
// once which cell it uses (set_thread_cell); threads that do not share cell 0, which is safe (atomic adds) but slower.
//
//     MetricStore store(workers + 1);
//     Counter rq = store.counter("http.ingress.downstream_rq_total");
//     rq.add();                                   // any thread
//     store.for_each([](const MetricView& m) { ... });

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "abi/types.h"
#include "stats/histogram_bins.h"

namespace inlay::stats {

struct HistogramData {
  uint64_t count = 0;
  uint64_t sum = 0;
  // Cumulative counts at Envoy's default bucket bounds (0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000,
  // 10000, 30000, 60000, 300000, 600000, 1800000, 3600000).
  std::vector<uint64_t> buckets;
  std::vector<HistogramBin> bins;  // for quantile_of()
};

struct MetricView {
  std::string_view name;
  abi::MetricType type;
  int64_t value = 0;                         // counters and gauges
  const HistogramData* histogram = nullptr;  // histograms
  bool used = false;                         // was ever written
};

class MetricStore {
 public:
  struct Metric;

  explicit MetricStore(size_t cells = 1);
  ~MetricStore();
  MetricStore(const MetricStore&) = delete;
  MetricStore& operator=(const MetricStore&) = delete;

  // Which cell the calling thread writes; below `cells`, and used by one thread only.
  static void set_thread_cell(size_t cell);

  // Finds or makes a metric. The same name and type gives the same metric; metrics of different types may have one
  // name. The pointer is valid as long as the store. At most kMaxMetrics, then nullptr.
  static constexpr size_t kMaxMetrics = 100'000;
  Metric* define(abi::MetricType type, std::string_view name);
  // The one that is there; nullptr: none is.
  Metric* find(abi::MetricType type, std::string_view name) const;

  static void increment(Metric& metric, int64_t delta);  // counters and gauges
  static void record(Metric& metric, uint64_t value);    // gauges (set) and histograms (observe); counters: set
  static int64_t value(const Metric& metric);            // counters and gauges
  static abi::MetricType type(const Metric& metric);

  // Visits all metrics in the order of their names, then of their types.
  void for_each(const std::function<void(const MetricView&)>& visit) const;
  void reset_counters();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Counter and Gauge: typed handles for the proxy's own code; copyable, valid as long as the store.
class Counter {
 public:
  Counter() = default;
  explicit Counter(MetricStore::Metric* metric) : metric_(metric) {}
  void add(uint64_t n = 1) const {
    if (metric_) MetricStore::increment(*metric_, static_cast<int64_t>(n));
  }
  int64_t value() const { return metric_ ? MetricStore::value(*metric_) : 0; }

 private:
  MetricStore::Metric* metric_ = nullptr;
};
class Gauge {
 public:
  Gauge() = default;
  explicit Gauge(MetricStore::Metric* metric) : metric_(metric) {}
  void add(int64_t n = 1) const {
    if (metric_) MetricStore::increment(*metric_, n);
  }
  void sub(int64_t n = 1) const { add(-n); }
  void set(uint64_t n) const {
    if (metric_) MetricStore::record(*metric_, n);
  }
  int64_t value() const { return metric_ ? MetricStore::value(*metric_) : 0; }

 private:
  MetricStore::Metric* metric_ = nullptr;
};

}  // namespace inlay::stats
