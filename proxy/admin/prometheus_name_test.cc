// SPDX-License-Identifier: Apache-2.0
#include "proxy/admin/prometheus_name.h"

#include <gtest/gtest.h>

namespace inlay::proxy::admin {
namespace {

TEST(PrometheusName, NamesAndCodesBecomeLabels) {
  const struct {
    const char* name;
    const char* family;
    const char* labels;
  } cases[] = {
      {"cluster.app.upstream_rq_total", "envoy_cluster_upstream_rq_total", "envoy_cluster_name=\"app\""},
      {"cluster.inbound|80||a.b.upstream_cx_total", "envoy_cluster_upstream_cx_total",
       "envoy_cluster_name=\"inbound|80||a.b\""},
      {"cluster.app.upstream_rq_2xx", "envoy_cluster_upstream_rq_xx",
       "envoy_response_code_class=\"2\",envoy_cluster_name=\"app\""},
      {"cluster.app.upstream_rq_503", "envoy_cluster_upstream_rq",
       "envoy_response_code=\"503\",envoy_cluster_name=\"app\""},
      {"http.ingress.downstream_rq_5xx", "envoy_http_downstream_rq_xx",
       "envoy_response_code_class=\"5\",envoy_http_conn_manager_prefix=\"ingress\""},
      {"listener.127.0.0.1_80.downstream_cx_active", "envoy_listener_downstream_cx_active",
       "envoy_listener_address=\"127.0.0.1_80\""},
      {"cluster.a\"b\\c.x", "envoy_cluster_x", "envoy_cluster_name=\"a\\\"b\\\\c\""},
      {"cluster.a\xff\r.x", "envoy_cluster_x", "envoy_cluster_name=\"a\xef\xbf\xbd\xef\xbf\xbd\""},
      {"cluster.odd", "envoy_cluster_odd", ""},
      {"server.live", "envoy_server_live", ""},
      {"wasm.envoy.wasm.runtime.v8.active", "envoy_wasm_envoy_wasm_runtime_v8_active", ""},
      {"wasmcustom.header_augmenting.a.fetch_ok", "header_augmenting_a_fetch_ok", ""},
      {"wasmcustom.4xx", "_4xx", ""},
      {"wasmcustom.7.a-b", "_7_a_b", ""},
      {"", "envoy_", ""},
  };
  for (const auto& c : cases) {
    const PrometheusName split = split_prometheus_name(c.name);
    EXPECT_EQ(split.family, c.family) << c.name;
    EXPECT_EQ(split.labels, c.labels) << c.name;
  }
}

}  // namespace
}  // namespace inlay::proxy::admin
