// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "config/model.h"
#include "host/embedder.h"
#include "net/event_loop.h"
#include "proxy/downstream/filter.h"
#include "proxy/router/route_table.h"
#include "stats/metrics.h"

namespace inlay::proxy::http_filters {

// What filters work with; all of it outlives them.
struct FilterSurroundings {
  net::EventLoop& loop;
  host::Upstreams& upstreams;
  stats::MetricStore& metrics;
  const config::HttpConnectionManager& manager;  // whose filters they are
};

// The factory of a filter of this room; null for a Wasm filter and the router.
std::unique_ptr<downstream::FilterFactory> make_filter(const config::HttpFilter& filter,
                                                       std::shared_ptr<const router::RouteTable> routes,
                                                       const FilterSurroundings& around);

}  // namespace inlay::proxy::http_filters
