// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/exported_metrics.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace inlay::dynamic_module {
namespace {

using abi::MetricType;
using Metric = stats::MetricStore::Metric;

// In front of what a guest calls a metric.
constexpr std::string_view kPrefix = "wasmcustom.";

// What Envoy was told of a counter, by whatever configuration. The main thread's.
int64_t untold(const Metric& metric) {
  static auto* const told = new std::map<const Metric*, int64_t>;
  int64_t& before = (*told)[&metric];
  const int64_t now = stats::MetricStore::value(metric);
  return now - std::exchange(before, now);
}

}  // namespace

ExportedMetrics::ExportedMetrics(envoy::FilterConfig* config, const stats::MetricStore& store) : config_(config) {
  if (envoy::http_filter_config_increment_counter == nullptr || envoy::http_filter_config_set_gauge == nullptr ||
      envoy::http_filter_config_define_counter == nullptr || envoy::http_filter_config_define_gauge == nullptr)
    return;
  std::vector<std::pair<std::string, MetricType>> names;
  store.for_each([&](const stats::MetricView& view) {
    if (view.name.starts_with(kPrefix) && view.type != MetricType::kHistogram) names.emplace_back(view.name, view.type);
  });
  for (const auto& [name, type] : names) {
    const bool counter = type == MetricType::kCounter;
    const auto define = counter ? envoy::http_filter_config_define_counter : envoy::http_filter_config_define_gauge;
    size_t id = 0;
    if (define(config_, std::string_view(name).substr(kPrefix.size()), nullptr, 0, &id) == 0)
      metrics_.push_back({store.find(type, name), counter, id});
  }
}

void ExportedMetrics::tell() {
  for (const Exported& one : metrics_) {
    if (!one.counter) {
      const auto value = static_cast<uint64_t>(stats::MetricStore::value(*one.metric));
      (void)envoy::http_filter_config_set_gauge(config_, one.id, nullptr, 0, value);
    } else if (const int64_t more = untold(*one.metric); more > 0) {
      (void)envoy::http_filter_config_increment_counter(config_, one.id, nullptr, 0, static_cast<uint64_t>(more));
    }
  }
}

}  // namespace inlay::dynamic_module
