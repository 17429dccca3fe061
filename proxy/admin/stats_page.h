// SPDX-License-Identifier: Apache-2.0
#pragma once

// Statistics as text, JSON and in Prometheus' exposition format, in Envoy's forms.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/model.h"
#include "stats/metrics.h"

namespace inlay::proxy::admin {

struct StatsFilter {
  std::string regex;       // RE2, found anywhere in the name; empty: all
  bool used_only = false;  // only what was ever written
};

// Errors: kInvalidArgument for a bad regex.
Result<std::string> stats_text(const stats::MetricStore& metrics, const StatsFilter& filter);
Result<std::string> stats_json(const stats::MetricStore& metrics, const StatsFilter& filter);
// One family after the other; names and labels as proxy/admin/prometheus_name.h says, after the bootstrap's own tags.
Result<std::string> stats_prometheus(const stats::MetricStore& metrics, const StatsFilter& filter,
                                     const std::vector<config::StatsTag>& tags);

}  // namespace inlay::proxy::admin
