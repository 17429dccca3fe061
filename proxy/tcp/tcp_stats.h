// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/metrics.h"
#include "proxy/config/model.h"

namespace inlay::proxy::tcp {

// TcpStats: the statistics of a TcpProxy, tcp.<stat_prefix>.*, by Envoy's names.
struct TcpStats {
  TcpStats(host::MetricStore& store, const config::TcpProxy& config);

  host::Counter downstream_cx_total;
  host::Counter downstream_cx_no_route;
  host::Counter downstream_cx_rx_bytes_total;
  host::Counter downstream_cx_tx_bytes_total;
  host::Counter downstream_flow_control_paused_reading_total;
  host::Counter downstream_flow_control_resumed_reading_total;
  host::Counter idle_timeout;
  host::Counter max_downstream_connection_duration;
};

}  // namespace inlay::proxy::tcp
