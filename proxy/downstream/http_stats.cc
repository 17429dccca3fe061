// SPDX-License-Identifier: Apache-2.0
#include "proxy/downstream/http_stats.h"

#include "proxy/downstream/header_rules.h"

namespace inlay::proxy::downstream {

HttpStats::HttpStats(stats::MetricStore& store, const config::Listener& listener_config)
    : listener(store, listener_config) {
  const std::string http = "http." + listener_config.http.stat_prefix + ".downstream_";
  const auto counter = [&](std::string_view name) {
    return stats::Counter(store.define(abi::MetricType::kCounter, http + std::string(name)));
  };
  const auto gauge = [&](std::string_view name) {
    return stats::Gauge(store.define(abi::MetricType::kGauge, http + std::string(name)));
  };
  cx_total = counter("cx_total");
  cx_active = gauge("cx_active");
  cx_http1_total = counter("cx_http1_total");
  cx_http2_total = counter("cx_http2_total");
  cx_protocol_error = counter("cx_protocol_error");
  cx_idle_timeout = counter("cx_idle_timeout");
  cx_max_duration_reached = counter("cx_max_duration_reached");
  cx_destroy_remote = counter("cx_destroy_remote");
  cx_drain_close = counter("cx_drain_close");
  cx_upgrades_total = counter("cx_upgrades_total");
  cx_upgrades_active = gauge("cx_upgrades_active");
  rq_total = counter("rq_total");
  rq_http1_total = counter("rq_http1_total");
  rq_http2_total = counter("rq_http2_total");
  rq_active = gauge("rq_active");
  rq_completed = counter("rq_completed");
  rq_rx_reset = counter("rq_rx_reset");
  rq_tx_reset = counter("rq_tx_reset");
  rq_timeout = counter("rq_timeout");
  rq_header_timeout = counter("rq_header_timeout");
  rq_idle_timeout = counter("rq_idle_timeout");
  rq_max_duration_reached = counter("rq_max_duration_reached");
  rq_too_large = counter("rq_too_large");
  rq_ws_on_non_ws_route = counter("rq_ws_on_non_ws_route");
  rq_too_many_premature_resets = counter("rq_too_many_premature_resets");
  rq_response_before_rq_complete = counter("rq_response_before_rq_complete");
  rq_failed_path_normalization = counter("rq_failed_path_normalization");
  rq_redirected_with_normalized_path = counter("rq_redirected_with_normalized_path");
  for (size_t i = 0; i < rq_class.size(); ++i) rq_class[i] = counter("rq_" + std::to_string(i + 1) + "xx");
  rq_time = store.define(abi::MetricType::kHistogram, http + "rq_time");
}

void HttpStats::charge_response(uint32_t status) const {
  rq_completed.add();
  if (status >= 100 && status < 600) rq_class[status / 100 - 1].add();
}

void HttpStats::count_upgrade(bool accepted) const {
  if (!accepted) return rq_ws_on_non_ws_route.add();
  cx_upgrades_total.add();
  cx_upgrades_active.add();
}

void HttpStats::charge_refusal(const host::LocalReply& refusal) const {
  if (refusal.details != kPathNormalizationFailed) return;
  (refusal.status == 307 ? rq_redirected_with_normalized_path : rq_failed_path_normalization).add();
}

}  // namespace inlay::proxy::downstream
