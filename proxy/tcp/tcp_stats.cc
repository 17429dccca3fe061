// SPDX-License-Identifier: Apache-2.0
#include "proxy/tcp/tcp_stats.h"

#include <string>
#include <string_view>

namespace inlay::proxy::tcp {

TcpStats::TcpStats(stats::MetricStore& store, const config::TcpProxy& config) {
  const std::pair<stats::Counter*, std::string_view> counters[] = {
      {&downstream_cx_total, "downstream_cx_total"},
      {&downstream_cx_no_route, "downstream_cx_no_route"},
      {&downstream_cx_rx_bytes_total, "downstream_cx_rx_bytes_total"},
      {&downstream_cx_tx_bytes_total, "downstream_cx_tx_bytes_total"},
      {&downstream_flow_control_paused_reading_total, "downstream_flow_control_paused_reading_total"},
      {&downstream_flow_control_resumed_reading_total, "downstream_flow_control_resumed_reading_total"},
      {&idle_timeout, "idle_timeout"},
      {&max_downstream_connection_duration, "max_downstream_connection_duration"},
  };
  const std::string prefix = "tcp." + config.stat_prefix + ".";
  for (const auto& [counter, name] : counters) {
    *counter = stats::Counter(store.define(abi::MetricType::kCounter, prefix + std::string(name)));
  }
}

}  // namespace inlay::proxy::tcp
