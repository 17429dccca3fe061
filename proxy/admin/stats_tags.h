// SPDX-License-Identifier: Apache-2.0
#pragma once

// StatsTags: the labels that a bootstrap's `stats_config.stats_tags` take out of the names of statistics.
//
// Of a regex that is found in a name, the first group is taken out of the name, and the second, or the first if there
// is no second, is the label's value; all regexes look at the whole name. They are of std::regex, as in Envoy
// (1.40, TagExtractorStdRegexImpl). With the regex `(_value=([a-z]+))` of the tag
// `value`:
//
//     split("wasmcustom.requests_value=a") -> {"requests", R"(value="a")"}

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "proxy/admin/prometheus_name.h"

namespace inlay::proxy::admin {

// Immutable; `tags` is not needed after the constructor.
class StatsTags {
 public:
  explicit StatsTags(const std::vector<config::StatsTag>& tags);
  ~StatsTags();
  StatsTags(const StatsTags&) = delete;
  StatsTags& operator=(const StatsTags&) = delete;

  // The name in Prometheus' format: these tags' labels first, in the bootstrap's order, then split_prometheus_name()'s
  // of what is left of the name.
  PrometheusName split(std::string_view name) const;

 private:
  struct Tag;
  std::vector<Tag> tags_;
};

}  // namespace inlay::proxy::admin
