// SPDX-License-Identifier: Apache-2.0
// What rendering ends with must notice what a mesh would only show in the pod: here files are spoilt after they were
// rendered.
#include "deploy/render/check.h"

#include <gtest/gtest.h>

#include "deploy/render/testdata_modules.h"

namespace inlay::deploy {
namespace {

constexpr std::string_view kValues = R"(
name: header-augmenting
namespace: shop
module: {file: good.wasm}
plugin:
  name: header_augmenting
  configuration: {sources: [{cluster: "${cluster:tokens}"}, {cluster: "${cluster:near}"}]}
  environment: [{name: SECRET}]
services:
- {name: tokens, mesh: {host: tokens.other.svc.cluster.local, port: 80}}
- {name: near, sidecar: {port: 8082}}
workload: {name: orders}
traffic: {direction: outbound, destinations: [{host: payments.shop.svc.cluster.local, port: 8081}]}
)";

class Check : public ::testing::Test {
 protected:
  // The error of a rendering in whose file `name` the text `what` has become `with`; "" when it still passes.
  std::string spoilt(std::string_view target, const std::string& name, const std::string& what, const std::string& with,
                     const std::string& more_values = "istio: {attach: EnvoyFilter}") {
    Diagnostics diagnostics;
    const auto values =
        read_values_text(std::string(kValues) + more_values, "values.yaml", modules_.folder(), diagnostics);
    EXPECT_TRUE(values) << diagnostics.to_string();
    config::Reporter report("values.yaml", diagnostics);
    auto rendering = find_target(target)->render(*values, report);
    EXPECT_TRUE(rendering) << diagnostics.to_string();
    for (File& file : rendering->files) {
      if (file.name != name) continue;
      const size_t at = file.content.find(what);
      EXPECT_NE(at, std::string::npos) << file.content;
      if (at != std::string::npos) file.content.replace(at, what.size(), with);
    }
    const auto checked = check_rendering(target, *rendering, *values);
    EXPECT_TRUE(!checked || checked->bootstrap) << target;
    return checked ? "" : checked.error().to_string();
  }

  TestModules modules_;
};

TEST_F(Check, PassesWhatWasRendered) {
  EXPECT_EQ(spoilt("envoy", "", "", ""), "");
  EXPECT_EQ(spoilt("compose", "", "", ""), "");
  EXPECT_EQ(spoilt("istio", "", "", ""), "");
  EXPECT_EQ(spoilt("istio", "", "", "", "istio: {attach: WasmPlugin}"), "");
  EXPECT_EQ(spoilt("istio", "", "", "", "istio: {attach: TrafficExtension, sidecar: false}"), "");
}

TEST_F(Check, TakesADestinationThatIsCalledAsItsOwnStranger) {
  std::string text(kValues);
  const std::string name = "payments.shop";
  text.replace(text.find(name), name.size(), "stranger.shop");
  Diagnostics diagnostics;
  const auto values = read_values_text(text, "values.yaml", modules_.folder(), diagnostics);
  ASSERT_TRUE(values) << diagnostics.to_string();
  config::Reporter report("values.yaml", diagnostics);
  const auto rendering = find_target("istio")->render(*values, report);
  ASSERT_TRUE(rendering);
  const auto checked = check_rendering("istio", *rendering, *values);
  EXPECT_TRUE(checked) << checked.error().to_string();
}

TEST_F(Check, MissesAClusterThatThePluginCalls) {
  EXPECT_EQ(spoilt("istio", "sidecar.yaml", "    - other/tokens.other.svc.cluster.local\n", ""),
            "sidecar.json: what was rendered is not right: the plugin calls the cluster "
            "outbound|80||tokens.other.svc.cluster.local, which is not there");
  EXPECT_EQ(
      spoilt("envoy", "envoy.yaml", "  - name: near\n    type", "  - name: far\n    type").find("envoy.yaml: what was"),
      0u);
}

TEST_F(Check, SeesAPatchThatMeetsNothing) {
  EXPECT_EQ(spoilt("istio", "envoy-filter.yaml", "portNumber: 8081", "portNumber: 8082"),
            "envoy-filter.yaml: what was rendered is not right: spec.configPatches[1]: meets nothing in the "
            "configuration of a "
            "sidecar");
  EXPECT_EQ(
      spoilt("istio", "wasm-plugin.yaml", "mode: CLIENT", "mode: SERVER", "istio: {attach: WasmPlugin}"),
      "wasm-plugin.yaml: what was rendered is not right: spec.match: meets nothing in the configuration of a sidecar");
}

TEST_F(Check, SeesHeadersThatGoElsewhere) {
  const std::string passed =
      "sidecar.json: what was rendered is not right: requests to outbound|8081||stranger.shop.svc.cluster.local, which "
      "is "
      "no destination, would get headers";
  EXPECT_EQ(spoilt("istio", "envoy-filter.yaml", "\"use\": []", "\"mode\": \"set\""), passed);
  EXPECT_EQ(spoilt("istio", "envoy-filter.yaml", "\"cluster\": \"outbound|8081||", "\"path\": \"/"), passed);
  EXPECT_EQ(spoilt("istio", "wasm-plugin.yaml", "- use: []", "- mode: set", "istio: {attach: WasmPlugin}"), passed);
  EXPECT_EQ(spoilt("istio", "traffic-extension.yaml", "cluster: 'outbound|8081||payments.shop.svc.cluster.local'",
                   "path: /", "istio: {attach: TrafficExtension}"),
            passed);
}

TEST_F(Check, SeesWhatTheSchemasRefuse) {
  EXPECT_EQ(spoilt("istio", "envoy-filter.yaml", "context: SIDECAR_OUTBOUND", "context: SIDECAR_OUT"),
            "envoy-filter.yaml: what was rendered is not right: spec.configPatches[0].match.context: `SIDECAR_OUT` is "
            "none of its "
            "values");
  EXPECT_EQ(spoilt("istio", "sidecar.yaml", "workloadSelector:", "workloadSelectr:"),
            "sidecar.yaml: what was rendered is not right: spec: there is no field `workloadSelectr`");
}

TEST_F(Check, SeesWhatTheLoaderRefuses) {
  const std::string error = spoilt("envoy", "envoy.yaml", "stat_prefix", "stat_prefx");
  EXPECT_NE(error.find("stat_prefix: is required"), std::string::npos) << error;
  const std::string merged = spoilt("istio", "envoy-filter.yaml", "root_id", "root_idd");
  EXPECT_NE(merged.find("root_idd: no such field"), std::string::npos) << merged;
  EXPECT_NE(spoilt("kubernetes", "kustomization.yaml", "resources: [", "resources: ").find("not YAML"),
            std::string::npos);
}

}  // namespace
}  // namespace inlay::deploy
