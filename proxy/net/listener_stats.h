// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "host/metrics.h"
#include "proxy/config/model.h"

namespace inlay::proxy::net {

// "listener.<address>.", or with the listener's stat_prefix. Envoy writes an address in a metric's name with '_' for
// ':'.
std::string listener_stat_prefix(const config::Listener& listener);

// ListenerStats: what is counted of a listener's connections, listener.<address>.*, by Envoy's names.
struct ListenerStats {
  ListenerStats(host::MetricStore& store, const config::Listener& listener);

  host::Counter cx_total;
  host::Gauge cx_active;
  host::Counter cx_overflow;         // sent away: the listener's own limit
  host::Counter global_cx_overflow;  // sent away: the process has enough clients
};

}  // namespace inlay::proxy::net
