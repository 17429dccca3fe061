// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "config/model.h"
#include "stats/metrics.h"

namespace inlay::proxy::downstream {

// "listener.<address>.", or with the listener's stat_prefix. Envoy writes an address in a metric's name with '_' for
// ':'.
std::string listener_stat_prefix(const config::Listener& listener);

// ListenerStats: what is counted of a listener's connections, listener.<address>.*, by Envoy's names.
struct ListenerStats {
  ListenerStats(stats::MetricStore& store, const config::Listener& listener);

  stats::Counter cx_total;
  stats::Gauge cx_active;
  stats::Counter cx_overflow;         // sent away: the listener's own limit
  stats::Counter global_cx_overflow;  // sent away: the process has enough clients
};

}  // namespace inlay::proxy::downstream
