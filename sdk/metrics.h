// SPDX-License-Identifier: Apache-2.0
#pragma once

// Metrics: handles, each defined once with the host and used by number from then on. The host adds up what all VMs of
// the process count under one name and type, and shows it with its own statistics (Envoy and Inlay under "wasmcustom."
// and the name). Names are as hosts have them: words with dots between.
//
//     class CountingRoot : public RootContext {
//      public:
//       bool on_configure(size_t) override {
//         hits = Counter::define("my_filter.hits");
//         if (!hits.defined()) log_warn("the host does not count my_filter.hits");
//         return true;
//       }
//       Counter hits;  // for the streams: root.hits.increment()
//     };

#include <cstdint>
#include <string_view>

#include "sdk/bytes.h"
#include "sdk/host_functions.h"

namespace inlay::sdk {

using abi::MetricType;

// Metric is a handle: Counter, Gauge or Histogram. Cheap to copy. One that was not defined, or that the host refused,
// ignores what it is told, so that a filter need not look.
template <MetricType type>
class Metric {
 public:
  // Not defined.
  Metric() = default;

  // define: finds or makes the host's metric of that name. Once for each name, usually in on_configure: hosts may give
  // a number each time, and run out of them. No error but !defined().
  static Metric define(std::string_view name) {
    Metric metric;
    metric.defined_ = proxy_define_metric(type, name.data(), name.size(), &metric.id_) == Status::kOk;
    return metric;
  }

  bool defined() const { return defined_; }

  // increment, add, set, record: what the type can do. Values have no unit of their own: say it in the name.
  void increment(uint64_t by = 1) requires(type == MetricType::kCounter) {
    if (defined_ && by != 0) (void)proxy_increment_metric(id_, static_cast<abi::S64>(by));
  }

  void add(int64_t delta) requires(type == MetricType::kGauge) {
    if (defined_) (void)proxy_increment_metric(id_, delta);
  }

  void set(uint64_t value) requires(type == MetricType::kGauge) {
    if (defined_) (void)proxy_record_metric(id_, value);
  }

  void record(uint64_t value) requires(type == MetricType::kHistogram) {
    if (defined_) (void)proxy_record_metric(id_, value);
  }

  // value: what the host has counted, over all workers; a gauge's may be negative, as an unsigned number. kNotFound for
  // one that is not defined; kBadArgument for a histogram.
  Result<uint64_t> value() const {
    abi::U64 value = 0;
    const Status status = defined_ ? proxy_get_metric(id_, &value) : Status::kNotFound;
    if (status != Status::kOk) return status;
    return uint64_t{value};
  }

 private:
  uint32_t id_ = 0;
  bool defined_ = false;
};

using Counter = Metric<MetricType::kCounter>;
using Gauge = Metric<MetricType::kGauge>;
using Histogram = Metric<MetricType::kHistogram>;

}  // namespace inlay::sdk
