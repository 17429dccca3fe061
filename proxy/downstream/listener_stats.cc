// SPDX-License-Identifier: Apache-2.0
#include "proxy/downstream/listener_stats.h"

#include <algorithm>

namespace inlay::proxy::downstream {

std::string listener_stat_prefix(const config::Listener& listener) {
  std::string name = listener.stat_prefix.empty() ? listener.address.to_string() : listener.stat_prefix;
  std::replace(name.begin(), name.end(), ':', '_');
  return "listener." + name + ".";
}

ListenerStats::ListenerStats(stats::MetricStore& store, const config::Listener& listener) {
  const std::string prefix = listener_stat_prefix(listener) + "downstream_";
  cx_total = stats::Counter(store.define(abi::MetricType::kCounter, prefix + "cx_total"));
  cx_active = stats::Gauge(store.define(abi::MetricType::kGauge, prefix + "cx_active"));
  cx_overflow = stats::Counter(store.define(abi::MetricType::kCounter, prefix + "cx_overflow"));
  global_cx_overflow = stats::Counter(store.define(abi::MetricType::kCounter, prefix + "global_cx_overflow"));
}

}  // namespace inlay::proxy::downstream
