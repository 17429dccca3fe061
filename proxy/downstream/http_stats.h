// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "config/model.h"
#include "host/embedder.h"
#include "proxy/downstream/listener_stats.h"
#include "stats/metrics.h"

namespace inlay::proxy::downstream {

// HttpStats: the counters of a connection manager (http.<stat_prefix>.*) and of its listener (listener.<address>.*),
// by Envoy's names.
struct HttpStats {
  HttpStats(stats::MetricStore& store, const config::Listener& listener_config);
  void charge_response(uint32_t status) const;
  // An upgrade or a CONNECT was let through, and whoever counts it takes it from cx_upgrades_active again; or it was
  // not.
  void count_upgrade(bool accepted) const;
  // A reply in the place of a request that the filters do not get.
  void charge_refusal(const host::LocalReply& refusal) const;

  stats::Counter cx_total;
  stats::Gauge cx_active;
  stats::Counter cx_http1_total;
  stats::Counter cx_http2_total;
  stats::Counter cx_protocol_error;
  stats::Counter cx_idle_timeout;
  stats::Counter cx_max_duration_reached;
  stats::Counter cx_destroy_remote;
  stats::Counter cx_drain_close;
  stats::Counter cx_upgrades_total;
  stats::Gauge cx_upgrades_active;
  stats::Counter rq_total;
  stats::Counter rq_http1_total;
  stats::Counter rq_http2_total;
  stats::Gauge rq_active;
  stats::Counter rq_completed;
  stats::Counter rq_rx_reset;
  stats::Counter rq_tx_reset;
  stats::Counter rq_timeout;
  stats::Counter rq_header_timeout;
  stats::Counter rq_idle_timeout;
  stats::Counter rq_max_duration_reached;
  stats::Counter rq_too_large;
  stats::Counter rq_ws_on_non_ws_route;
  stats::Counter rq_too_many_premature_resets;
  stats::Counter rq_response_before_rq_complete;
  stats::Counter rq_failed_path_normalization;
  stats::Counter rq_redirected_with_normalized_path;
  std::array<stats::Counter, 5> rq_class;         // 1xx to 5xx
  stats::MetricStore::Metric* rq_time = nullptr;  // milliseconds
  ListenerStats listener;
};

}  // namespace inlay::proxy::downstream
