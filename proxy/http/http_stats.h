// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "host/embedder.h"
#include "host/metrics.h"
#include "proxy/config/model.h"
#include "proxy/net/listener_stats.h"

namespace inlay::proxy::http {

// HttpStats: the counters of a connection manager (http.<stat_prefix>.*) and of its listener (listener.<address>.*),
// by Envoy's names.
struct HttpStats {
  HttpStats(host::MetricStore& store, const config::Listener& listener_config);
  void charge_response(uint32_t status) const;
  // A reply in the place of a request that the filters do not get.
  void charge_refusal(const host::LocalReply& refusal) const;

  host::Counter cx_total;
  host::Gauge cx_active;
  host::Counter cx_http1_total;
  host::Counter cx_protocol_error;
  host::Counter cx_idle_timeout;
  host::Counter cx_max_duration_reached;
  host::Counter cx_destroy_remote;
  host::Counter cx_drain_close;
  host::Counter rq_total;
  host::Counter rq_http1_total;
  host::Gauge rq_active;
  host::Counter rq_completed;
  host::Counter rq_rx_reset;
  host::Counter rq_tx_reset;
  host::Counter rq_timeout;
  host::Counter rq_header_timeout;
  host::Counter rq_idle_timeout;
  host::Counter rq_max_duration_reached;
  host::Counter rq_too_large;
  host::Counter rq_response_before_rq_complete;
  host::Counter rq_failed_path_normalization;
  host::Counter rq_redirected_with_normalized_path;
  std::array<host::Counter, 5> rq_class;         // 1xx to 5xx
  host::MetricStore::Metric* rq_time = nullptr;  // milliseconds
  net::ListenerStats listener;
};

}  // namespace inlay::proxy::http
