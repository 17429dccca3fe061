// SPDX-License-Identifier: Apache-2.0
#pragma once

// Metrics: handles, each defined once with the host (usually in on_configure) and used by number from then on. A handle
// that was not defined, or that the host refused, ignores what it is told.
//
//     Counter hits_ = Counter::define("my_filter.hits");
//     hits_.increment();

#include <cstdint>
#include <string_view>

#include "sdk/bytes.h"
#include "sdk/host_functions.h"

namespace inlay::sdk {

using abi::MetricType;

template <MetricType type>
class Metric {
 public:
  Metric() = default;

  static Metric define(std::string_view name) {
    Metric metric;
    metric.defined_ = proxy_define_metric(type, name.data(), name.size(), &metric.id_) == Status::kOk;
    return metric;
  }

  bool defined() const { return defined_; }

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

  // value: what the host has counted, over all workers.
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
