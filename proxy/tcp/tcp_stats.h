// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/model.h"
#include "stats/metrics.h"

namespace inlay::proxy::tcp {

// TcpStats: the statistics of a TcpProxy, tcp.<stat_prefix>.*, by Envoy's names.
struct TcpStats {
  TcpStats(stats::MetricStore& store, const config::TcpProxy& config);

  stats::Counter downstream_cx_total;
  stats::Counter downstream_cx_no_route;
  stats::Counter downstream_cx_rx_bytes_total;
  stats::Counter downstream_cx_tx_bytes_total;
  stats::Counter downstream_flow_control_paused_reading_total;
  stats::Counter downstream_flow_control_resumed_reading_total;
  stats::Counter idle_timeout;
  stats::Counter max_downstream_connection_duration;
};

}  // namespace inlay::proxy::tcp
