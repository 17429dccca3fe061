// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "config/model.h"
#include "proxy/downstream/filter.h"
#include "proxy/router/route_table.h"
#include "stats/metrics.h"

namespace inlay::proxy::http_filters {

// The factory of a filter of this room; null for a Wasm filter and the router. `manager`: whose filter it is.
std::unique_ptr<downstream::FilterFactory> make_filter(const config::HttpFilter& filter,
                                                       std::shared_ptr<const router::RouteTable> routes,
                                                       stats::MetricStore& metrics,
                                                       const config::HttpConnectionManager& manager);

}  // namespace inlay::proxy::http_filters
