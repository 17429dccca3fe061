// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a statistic is called in Prometheus: Envoy takes the names of clusters, connection managers and listeners, and
// response codes, out of the statistic's name and makes them labels.
//
//     split_prometheus_name("cluster.app.upstream_rq_2xx")
//       -> {"envoy_cluster_upstream_rq_xx", R"(envoy_response_code_class="2",envoy_cluster_name="app")"}

#include <string>
#include <string_view>

namespace inlay::proxy::admin {

struct PrometheusName {
  std::string family;
  std::string labels;  // without braces, escaped
};

// A guest's metric ("wasmcustom.<name>") is its name alone, without labels and without Envoy's prefix, as in Envoy.
PrometheusName split_prometheus_name(std::string_view name);

bool is_guest_metric(std::string_view name);

// Appends `label="value"` to labels as PrometheusName has them; what Prometheus allows in no label becomes `_`. In the
// value, bytes that are no UTF-8, for which Prometheus refuses the whole page, and control characters become U+FFFD.
void append_label(std::string_view label, std::string_view value, std::string& labels);

}  // namespace inlay::proxy::admin
