// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/crd_schema.h"

#include <gtest/gtest.h>

namespace inlay::deploy {
namespace {

using document::Diagnostics;

std::shared_ptr<const document::Source> parsed(std::string_view text) {
  Diagnostics diagnostics;
  auto source = document::parse_source(text, false, "test", diagnostics);
  EXPECT_NE(source, nullptr) << diagnostics.to_string();
  return source;
}

std::vector<std::string> faults(std::string_view spec, std::string_view kind = "WasmPlugin") {
  const std::string version = kind == "WasmPlugin" || kind == "TrafficExtension" ? "extensions.istio.io/v1alpha1"
                              : kind == "EnvoyFilter"                            ? "networking.istio.io/v1alpha3"
                              : kind.starts_with("Envoy")                        ? "gateway.envoyproxy.io/v1alpha1"
                                                                                 : "networking.istio.io/v1";
  return check_custom_resource(*parsed("{apiVersion: " + version + ", kind: " + std::string(kind) +
                                       ", metadata: {name: x}, spec: " + std::string(spec) + "}"));
}

using Faults = std::vector<std::string>;

TEST(CrdSchema, TakesWhatIsRight) {
  EXPECT_EQ(faults("{url: 'oci://a/b', failStrategy: FAIL_CLOSE, pluginConfig: {any: [thing]}, "
                   "match: [{mode: CLIENT, ports: [{number: 8081}]}], selector: {matchLabels: {app: orders}}}"),
            Faults());
  EXPECT_EQ(faults("{egress: [{hosts: ['./*']}]}", "Sidecar"), Faults());
  EXPECT_EQ(faults("{hosts: [a.example], ports: [{name: http, number: 80, protocol: HTTP}], resolution: DNS}",
                   "ServiceEntry"),
            Faults());
  EXPECT_EQ(
      faults("{targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: a}], wasm: [{code: {type: Image, "
             "image: {url: a/b}}, config: {any: thing}}]}",
             "EnvoyExtensionPolicy"),
      Faults());
  EXPECT_EQ(
      faults("{configPatches: [{applyTo: CLUSTER, match: {context: ANY}, patch: {operation: ADD, value: {a: 1}}}]}",
             "EnvoyFilter"),
      Faults());
}

TEST(CrdSchema, NamesWhatIsWrongAndWhere) {
  EXPECT_EQ(faults("{}"), Faults{"spec: `url` is missing"});
  EXPECT_EQ(faults("{url: x, urll: y}"), Faults{"spec: there is no field `urll`"});
  EXPECT_EQ(faults("{url: x, failStrategy: FAIL_CLOSED}"),
            Faults{"spec.failStrategy: `FAIL_CLOSED` is none of its values"});
  EXPECT_EQ(faults("{url: ''}"), Faults{"spec.url: has 0 characters"});
  EXPECT_EQ(
      faults("{url: x, match: [{ports: [{number: 70000}, {}]}]}"),
      (Faults{"spec.match[0].ports[0].number: 70000 is out of range", "spec.match[0].ports[1]: `number` is missing"}));
  EXPECT_EQ(faults("{url: x, match: {mode: CLIENT}}"), Faults{"spec.match: expected array, found a map"});
  EXPECT_EQ(faults("{url: x, sha256: abc}"), Faults{"spec.sha256: `abc` does not match (^$|^[a-f0-9]{64}$)"});
  EXPECT_EQ(faults("{url: x, selector: {matchLabels: {app: true}}}"),
            Faults{"spec.selector.matchLabels.app: expected string, found the boolean `true`"});
  EXPECT_EQ(faults("{url: x, selector: null, priority: null}"), Faults{"spec.selector: is null"});
}

TEST(CrdSchema, KnowsAlternatives) {
  EXPECT_EQ(faults("{wasm: {url: x}}", "TrafficExtension"), Faults());
  EXPECT_EQ(faults("{wasm: {url: x}, lua: {inlineCode: code}}", "TrafficExtension"),
            Faults{"spec: 2 of its alternatives are given; exactly one is needed"});
  EXPECT_EQ(faults("{configPatches: [{match: {listener: {}, cluster: {}}}]}", "EnvoyFilter").size(), 1u);
}

TEST(CrdSchema, WantsAKindVersionAndName) {
  EXPECT_EQ(check_custom_resource(*parsed("{kind: Gateway}")), Faults{"kind: there is no schema for `Gateway`"});
  EXPECT_EQ(check_custom_resource(*parsed("{kind: Sidecar, apiVersion: networking.istio.io/v1beta1}")),
            (Faults{"apiVersion: expected networking.istio.io/v1", "metadata.name: is missing"}));
}

}  // namespace
}  // namespace inlay::deploy
