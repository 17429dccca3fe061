// SPDX-License-Identifier: Apache-2.0
#pragma once

// MetricStore: every counter, gauge and histogram of a process, the proxy's own and the guests' alike, by name.
//
// Thread-safe. A metric has a cell for each thread that writes often: such a thread says once which one is its own
// (set_thread_cell), and from then on adds to it without a lock or a cache line that others write. Threads that do not
// say so share cell 0, by atomic additions. Reading sums the cells, so that a reader may see an addition of one thread
// before an earlier one of another; none is lost. Numbers are of 64 bits and wrap around.
//
//     void count_requests(size_t workers) {
//       MetricStore store(workers + 1);  // outlives its handles and the threads that use them
//       const Counter requests(store.define(abi::MetricType::kCounter, "http.ingress.downstream_rq_total"));
//       std::thread worker([requests] {
//         MetricStore::set_thread_cell(1);
//         requests.add();
//       });
//       worker.join();
//       store.for_each([](const MetricView& m) { std::cout << m.name << ": " << m.value << "\n"; });
//     }

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

// HistogramData is what a histogram has recorded since it was made, in the unit of its values (which its name tells:
// milliseconds mostly).
struct HistogramData {
  uint64_t count = 0;  // values
  uint64_t sum = 0;    // of all values
  // How many values are at most 0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000,
  // 600000, 1800000 and 3600000: Envoy's default buckets. Larger ones are in `count` alone.
  std::vector<uint64_t> buckets;
  std::vector<HistogramBin> bins;  // for quantile_of()
};

// MetricView is a metric as for_each() shows it: both pointers are valid during that call only.
struct MetricView {
  std::string_view name;
  abi::MetricType type;
  int64_t value = 0;                         // counters and gauges
  const HistogramData* histogram = nullptr;  // histograms; else null
  bool used = false;                         // was ever written, be it with 0
};

class MetricStore {
 public:
  // Metric is one metric of a store, which owns it.
  struct Metric;

  // `cells`: one more than the threads that have one of their own; 0 counts as 1. A counter or gauge takes 8 bytes a
  // cell, a histogram 168 and its bins (stats/histogram_bins.h).
  explicit MetricStore(size_t cells = 1);
  ~MetricStore();
  MetricStore(const MetricStore&) = delete;
  MetricStore& operator=(const MetricStore&) = delete;

  // Makes the calling thread write cell `cell` of every store; no other thread may use it, but for 0. In a store with
  // fewer cells the thread uses cell 0.
  static void set_thread_cell(size_t cell);

  // define: finds or makes a metric, under a lock: keep what it gives. The same name and type gives the same metric;
  // metrics of different types may have one name, which is any bytes. The pointer is valid as long as the store.
  // nullptr when the store has kMaxMetrics and this would be one more.
  static constexpr size_t kMaxMetrics = 100'000;
  Metric* define(abi::MetricType type, std::string_view name);
  // find: the metric, if there is one; else nullptr.
  Metric* find(abi::MetricType type, std::string_view name) const;

  // increment: adds to a counter or a gauge. Nothing happens to a histogram.
  static void increment(Metric& metric, int64_t delta);
  // record: sets a gauge or a counter, or adds a value to a histogram.
  static void record(Metric& metric, uint64_t value);
  // value: of a counter, since the last reset_counters(); of a gauge, now. Of a histogram it says nothing.
  static int64_t value(const Metric& metric);
  static abi::MetricType type(const Metric& metric);
  // bins: what a histogram has counted, in ascending order; nothing of another metric.
  static std::vector<HistogramBin> bins(const Metric& metric);

  // size: how many metrics there are.
  size_t size() const;
  // for_each: visits all metrics in the order of their names, and those of one name by type: counter, gauge, histogram.
  // It holds the store's lock: `visit` must not call define(), find(), for_each() or reset_counters().
  void for_each(const std::function<void(const MetricView&)>& visit) const;
  // reset_counters: makes every counter 0. Gauges, histograms and MetricView::used stay as they are.
  void reset_counters();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Counter and Gauge: handles of a metric, which must be of that type; cheap to copy, valid as long as the store, usable
// by any thread. One without a metric (made without an argument, or from define()'s nullptr) counts nothing.
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
