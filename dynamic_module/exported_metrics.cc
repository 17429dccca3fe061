// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/exported_metrics.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "dynamic_module/log.h"

namespace inlay::dynamic_module {
namespace {

using abi::MetricType;
using Metric = stats::MetricStore::Metric;
using Store = stats::MetricStore;

// In front of what a guest calls a metric.
constexpr std::string_view kPrefix = "wasmcustom.";

// All of what follows is the process's, whatever its configurations, and the main thread's.

// What Envoy was told of a counter.
int64_t untold(const Metric& metric) {
  static auto* const told = new std::map<const Metric*, int64_t>;
  int64_t& before = (*told)[&metric];
  const int64_t now = Store::value(metric);
  return now - std::exchange(before, now);
}

// Calls tell(value) for values that Envoy was not told of.
template <class Tell>
void each_untold(const Metric& metric, Tell&& tell) {
  static auto* const told = new std::map<const Metric*, std::map<double, uint64_t>>;
  std::map<double, uint64_t>& before = (*told)[&metric];
  uint64_t left = ExportedMetrics::kMostValues;
  for (const stats::HistogramBin& bin : Store::bins(metric)) {
    uint64_t& counted = before[bin.lower];
    for (; counted < bin.count && left > 0; ++counted, --left) tell(static_cast<uint64_t>(bin.lower));
  }
}

// Those that Envoy has, or that the log has told of.
std::set<std::string, std::less<>>& known() {
  static auto* const names = new std::set<std::string, std::less<>>;
  return *names;
}

uint32_t define(envoy::FilterConfig* config, MetricType type, std::string_view name, size_t* id) {
  switch (type) {
    case MetricType::kCounter:
      return envoy::http_filter_config_define_counter(config, name, nullptr, 0, id);
    case MetricType::kGauge:
      return envoy::http_filter_config_define_gauge(config, name, nullptr, 0, id);
    case MetricType::kHistogram:
      break;
  }
  return envoy::http_filter_config_define_histogram(config, name, nullptr, 0, id);
}

}  // namespace

bool ExportedMetrics::can_tell() {
  return envoy::http_filter_config_increment_counter != nullptr && envoy::http_filter_config_set_gauge != nullptr &&
         envoy::http_filter_config_define_counter != nullptr && envoy::http_filter_config_define_gauge != nullptr &&
         envoy::http_filter_config_define_histogram != nullptr &&
         envoy::http_filter_config_record_histogram_value != nullptr;
}

ExportedMetrics::ExportedMetrics(envoy::FilterConfig* config, const Store& store) : config_(config), store_(store) {
  if (!can_tell()) return;
  std::vector<std::pair<std::string, MetricType>> names;
  looked_at_ = store.size();
  store.for_each([&](const stats::MetricView& view) {
    if (view.name.starts_with(kPrefix)) names.emplace_back(view.name, view.type);
  });
  for (const auto& [name, type] : names) {
    size_t id = 0;
    if (define(config_, type, std::string_view(name).substr(kPrefix.size()), &id) == 0)
      metrics_.push_back({store.find(type, name), id});
    known().insert(name);
  }
}

void ExportedMetrics::tell() {
  if (looked_at_ != store_.size()) tell_of_late_ones();
  for (const Exported& one : metrics_) {
    switch (Store::type(*one.metric)) {
      case MetricType::kGauge:
        (void)envoy::http_filter_config_set_gauge(config_, one.id, nullptr, 0,
                                                  static_cast<uint64_t>(Store::value(*one.metric)));
        break;
      case MetricType::kCounter:
        if (const int64_t more = untold(*one.metric); more > 0)
          (void)envoy::http_filter_config_increment_counter(config_, one.id, nullptr, 0, static_cast<uint64_t>(more));
        break;
      case MetricType::kHistogram:
        each_untold(*one.metric, [&](uint64_t value) {
          (void)envoy::http_filter_config_record_histogram_value(config_, one.id, nullptr, 0, value);
        });
        break;
    }
  }
}

void ExportedMetrics::tell_of_late_ones() {
  looked_at_ = store_.size();
  constexpr size_t kMostNames = 5;
  std::string names;
  size_t late = 0;
  store_.for_each([&](const stats::MetricView& view) {
    if (!view.name.starts_with(kPrefix) || !known().emplace(view.name).second) return;
    if (++late <= kMostNames) names.append(names.empty() ? "" : ", ").append(view.name.substr(kPrefix.size()));
  });
  if (late == 0) return;
  if (late > kMostNames) names.append(" and ").append(std::to_string(late - kMostNames)).append(" more");
  write_log(abi::LogLevel::kWarn,
            "metrics that a guest has defined after on_configure are in Envoy's statistics from the next "
            "configuration on only: " +
                names);
}

}  // namespace inlay::dynamic_module
