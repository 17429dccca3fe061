// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/istio_merge.h"

#include <gtest/gtest.h>

#include "config/scalar_check.h"

namespace inlay::deploy {
namespace {

using document::Diagnostics;

std::shared_ptr<const document::Source> parsed(std::string_view text) {
  Diagnostics diagnostics;
  auto source = document::parse_source(text, false, "test", diagnostics);
  EXPECT_NE(source, nullptr) << diagnostics.to_string();
  return source;
}

std::string listener(const std::string& direction, int port) {
  return R"({"traffic_direction":")" + direction + R"(","address":{"socket_address":{"port_value":)" +
         std::to_string(port) +
         R"(}},"filter_chains":[{"filters":[{"name":"envoy.filters.network.http_connection_manager","typed_config":)"
         R"({"http_filters":[{"name":"envoy.filters.http.router"}]}}]}]})";
}

const std::string kSample = R"({"static_resources":{"listeners":[)" + listener("OUTBOUND", 8081) + "," +
                            listener("OUTBOUND", 9000) + "," + listener("INBOUND", 8081) + R"(],"clusters":[]}})";

std::string filter_patch(const std::string& context, int port,
                         const std::string& sub_filter = "envoy.filters.http.router") {
  return "{applyTo: HTTP_FILTER, match: {context: " + context + ", listener: {portNumber: " + std::to_string(port) +
         ", filterChain: {filter: {name: envoy.filters.network.http_connection_manager, subFilter: {name: " +
         sub_filter + "}}}}}, patch: {operation: INSERT_BEFORE, value: {name: mine}}}";
}

Result<std::string> apply(const std::string& patches) {
  return apply_envoy_filter(kSample, *parsed("{spec: {configPatches: [" + patches + "]}}"));
}

size_t count(const std::string& text, const std::string& what) {
  size_t found = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST(ApplyEnvoyFilter, PutsTheFilterBeforeTheRouterOfTheListenersThatMatch) {
  const auto merged = apply(filter_patch("SIDECAR_OUTBOUND", 8081));
  ASSERT_TRUE(merged) << merged.error().to_string();
  EXPECT_EQ(count(*merged, R"({"name":"mine"},{"name":"envoy.filters.http.router"})"), 1u);
  EXPECT_LT(merged->find("mine"), merged->find("9000"));
  EXPECT_EQ(count(*apply(filter_patch("ANY", 8081)), "mine"), 2u);
  EXPECT_EQ(count(*apply(filter_patch("SIDECAR_INBOUND", 8081)), "mine"), 1u);
}

TEST(ApplyEnvoyFilter, AddsClusters) {
  const auto merged =
      apply("{applyTo: CLUSTER, match: {context: SIDECAR_OUTBOUND}, patch: {operation: ADD, value: {name: mine}}}");
  ASSERT_TRUE(merged);
  EXPECT_EQ(count(*merged, R"("clusters":[{"name":"mine"}])"), 1u);
}

TEST(ApplyEnvoyFilter, RefusesAPatchThatAMeshWouldIgnore) {
  EXPECT_EQ(apply(filter_patch("SIDECAR_OUTBOUND", 8082)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(apply(filter_patch("SIDECAR_OUTBOUND", 8081, "envoy.router")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(apply("{applyTo: ROUTE_CONFIGURATION, patch: {operation: MERGE, value: {}}}").error().code,
            ErrorCode::kUnsupported);
  EXPECT_EQ(apply("{applyTo: CLUSTER}").error().where, "spec.configPatches[0]");
}

TEST(ApplyEnvoyFilter, AddsListeners) {
  const auto merged = apply("{applyTo: LISTENER, patch: {operation: ADD, value: {name: files}}}");
  ASSERT_TRUE(merged) << merged.error().to_string();
  EXPECT_NE(merged->find(R"({"name":"files"})"), std::string::npos) << *merged;
}

TEST(ApplyWasmResource, MakesTheFilterThatIstiodMakes) {
  const auto resource = parsed(
      "{metadata: {name: x, namespace: shop}, spec: {url: u, pluginName: root, failStrategy: FAIL_OPEN, "
      "match: [{mode: CLIENT, ports: [{number: 8081}]}], pluginConfig: {a: [1, b]}, "
      "vmConfig: {env: [{name: H, valueFrom: HOST}, {name: V, value: w}]}}}");
  const auto merged = apply_wasm_resource(kSample, *resource, R"({"filename":"f"})");
  ASSERT_TRUE(merged) << merged.error().to_string();
  EXPECT_EQ(count(*merged, R"("name":"shop.x","typed_config")"), 1u);
  for (const char* part : {R"("root_id":"root")", R"("failure_policy":"FAIL_OPEN")", R"("value":"{\"a\":[1,\"b\"]}")",
                           R"("local":{"filename":"f"})", R"("host_env_keys":["H"])", R"("key_values":{"V":"w"})"})
    EXPECT_NE(merged->find(part), std::string::npos) << part << *merged;
}

TEST(ApplyWasmResource, TakesTheNestedFormAndRefusesAMatchOfNothing) {
  const auto nested =
      parsed("{metadata: {name: x}, spec: {match: [{mode: SERVER, ports: [{number: 8081}]}], wasm: {url: u}}}");
  EXPECT_EQ(count(*apply_wasm_resource(kSample, *nested, "{}"), "wasm.v3.Wasm"), 1u);
  const auto nothing = parsed("{metadata: {name: x}, spec: {url: u, match: [{mode: CLIENT, ports: [{number: 1}]}]}}");
  EXPECT_EQ(apply_wasm_resource(kSample, *nothing, "{}").error().code, ErrorCode::kNotFound);
}

TEST(PassedRoutes, AreThoseOfOutboundListenersWithAWasmFilter) {
  const auto one = [](const std::string& direction, const std::string& cluster, const std::string& filters) {
    return R"({"traffic_direction":")" + direction +
           R"(","filter_chains":[{"filters":[{"typed_config":{"http_filters":[)" + filters +
           R"(],"route_config":{"virtual_hosts":[{"routes":[{"route":{"cluster":")" + cluster + R"("}}]}]}}}]}]})";
  };
  const std::string wasm =
      R"({"typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",)"
      R"("config":{"configuration":{"value":"{}"}}}})";
  const std::vector<PassedRoute> routes =
      passed_routes(R"({"static_resources":{"listeners":[)" + one("OUTBOUND", "a", wasm) + "," +
                    one("OUTBOUND", "b", R"({"name":"other"})") + "," + one("INBOUND", "c", wasm) + "]}}");
  ASSERT_EQ(routes.size(), 1u);
  EXPECT_EQ(routes[0].cluster, "a");
  EXPECT_EQ(routes[0].configuration, "{}");
}

}  // namespace
}  // namespace inlay::deploy
