// SPDX-License-Identifier: Apache-2.0
// Each rule on manifests that have its fault, and on the same without it.
#include "deploy/check/check_resources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/read_file.h"

namespace inlay::deploy {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// A header-augmenting plugin of the pods `app: orders`, by each kind of resource. RULES, MATCH and the like are
// replaced.
std::string traffic_extension(const std::string& configuration,
                              const std::string& match = "{mode: CLIENT, ports: [{number: 8081}]}",
                              const std::string& more = "") {
  return "apiVersion: extensions.istio.io/v1alpha1\nkind: TrafficExtension\nmetadata: {name: tokens, namespace: shop}\n"
         "spec:\n  selector: {matchLabels: {app: orders}}\n  match: [" +
         match + "]\n  wasm:\n" + "    url: oci://registry.example.com/a@sha256:" + std::string(64, 'a') +
         "\n    pluginName: header_augmenting\n" + more + "    pluginConfig: {" + configuration + "}\n---\n";
}

std::string envoy_filter(const std::string& configuration, const std::string& more_config = "",
                         const std::string& context = "SIDECAR_OUTBOUND", const std::string& name = "tokens",
                         const std::string& vm_id = "one") {
  return "apiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: " + name +
         ", namespace: shop}\n" +
         "spec:\n  workloadSelector: {labels: {app: orders}}\n  priority: 10\n  configPatches:\n  - applyTo: "
         "HTTP_FILTER\n" +
         "    match: {context: " + context +
         ", listener: {portNumber: 8081}}\n    patch:\n      operation: INSERT_BEFORE\n" +
         "      value:\n        name: " + name + "\n        typed_config:\n" +
         "          '@type': type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\n          config:\n" +
         "            name: " + name + "\n            " + more_config + "\n            configuration: {value: '{" +
         configuration + "}'}\n            vm_config: {vm_id: " + vm_id +
         ", code: {local: {filename: /var/local/wasm/a.wasm}}}\n---\n";
}

const std::string kSource = R"("sources": [{"name": "idp", "cluster": "idp"}])";
const std::string kRules =
    kSource + R"(, "rules": [{"match": {"cluster": "outbound|8081||payments.shop.svc.cluster.local"}}, {"use": []}])";
const std::string kSidecar =
    "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: s, namespace: shop}\nspec:\n"
    "  workloadSelector: {labels: {app: orders}}\n  outboundTrafficPolicy: {mode: REGISTRY_ONLY}\n"
    "  egress: [{hosts: ['./*']}]\n---\n";

std::string deployment(const std::string& more = "") {
  return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: orders, namespace: shop}\nspec:\n  " + more +
         "\n  template: {metadata: {labels: {app: orders, tier: web}}}\n---\n";
}

std::string service(const std::string& ports, const std::string& name = "orders") {
  return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name +
         ", namespace: shop}\nspec: {selector: {app: " + name + "}, ports: [" + ports + "]}\n---\n";
}

struct Checked {
  std::vector<std::string> lines;  // "error token-reach"
  std::string text;
};

Checked check(const std::string& manifests, uint32_t from = 0, uint32_t to = 0, const Values* values = nullptr,
              const std::vector<ModuleFile>& modules = {}) {
  document::Diagnostics diagnostics;
  Manifests read;
  add_manifest("a.yaml", manifests, read, diagnostics);
  EXPECT_EQ(diagnostics.to_string(), "");
  read.modules = modules;
  const Findings findings = check_manifests({read, values, from, to});
  Checked out;
  for (const Finding& finding : findings.list()) {
    EXPECT_FALSE(finding.what.empty() || finding.why.empty() || finding.todo.empty());
    out.lines.push_back(std::string(name_of(finding.severity)) + " " + finding.rule);
  }
  out.text = to_text(findings);
  return out;
}

TEST(TokenReach, IsEveryHostWithoutRules) {
  for (const std::string& manifest : {traffic_extension(kSource), envoy_filter(kSource)}) {
    const Checked checked = check(manifest);
    EXPECT_THAT(checked.lines, Contains("error token-reach"));
    EXPECT_THAT(checked.text, HasSubstr("every host that is called on port 8081, in the mesh and outside of it"));
  }
}

TEST(TokenReach, IsWhatTheSidecarNamesWithRegistryOnly) {
  EXPECT_THAT(check(traffic_extension(kSource) + kSidecar).lines, Contains("warning token-reach"));
}

TEST(TokenReach, IsWhatTheRulesName) {
  const Checked checked = check(traffic_extension(kRules));
  EXPECT_THAT(checked.lines, Not(Contains("error token-reach")));
  EXPECT_THAT(checked.text, HasSubstr("requests to outbound|8081||payments.shop.svc.cluster.local and to no others"));
}

TEST(TokenReach, ARuleWithoutAClusterIsForAll) {
  const std::string rules = kSource + R"(, "rules": [{"match": {"path_prefix": "/pay"}}, {"use": []}])";
  EXPECT_THAT(check(traffic_extension(rules)).lines, Contains("error token-reach"));
  // Behind a rule that takes all and gives nothing no other is looked at.
  const std::string closed = kSource + R"(, "rules": [{"use": []}, {"match": {"path_prefix": "/pay"}}])";
  EXPECT_THAT(check(traffic_extension(closed)).lines, Not(Contains("error token-reach")));
}

TEST(TokenReach, IsNotAskedOfInboundOrOfOtherPlugins) {
  EXPECT_THAT(check(envoy_filter(kSource, "", "SIDECAR_INBOUND")).text, Not(HasSubstr("[token-reach]")));
  EXPECT_THAT(check(traffic_extension("a: b")).text, Not(HasSubstr("[token-reach]")));
}

TEST(OtherHost, IsOneThatTheValuesDoNotName) {
  Values values;
  values.destinations.push_back({"ledger", "ledger.shop.svc.cluster.local", 8081, {}, {}});
  EXPECT_THAT(check(traffic_extension(kRules), 0, 0, &values).lines, Contains("error other-host"));
  values.destinations.push_back({"payments", "payments.shop.svc.cluster.local", 8081, {}, {}});
  EXPECT_THAT(check(traffic_extension(kRules), 0, 0, &values).lines, Not(Contains("error other-host")));
}

TEST(MissingService, IsOneThatDoesNotLeadToThePort) {
  const std::string inbound = traffic_extension(kSource, "{mode: SERVER, ports: [{number: 8090}]}");
  EXPECT_THAT(check(inbound).lines, Contains("warning missing-service"));
  EXPECT_THAT(check(inbound + deployment()).lines, Contains("error missing-service"));
  EXPECT_THAT(check(inbound + deployment() + service("{name: http, port: 80, targetPort: 8091}")).lines,
              Contains("error missing-service"));
  for (const char* ports : {"{name: http, port: 80, targetPort: 8090}", "{port: 8090}", "{port: 80, targetPort: web}"})
    EXPECT_THAT(check(inbound + deployment() + service(ports)).text, Not(HasSubstr("missing-service"))) << ports;
}

TEST(MissingServiceEntry, IsThatOfAHostOutside) {
  const std::string outside = traffic_extension(
      kSource + R"(, "rules": [{"match": {"cluster": "outbound|80||api.example.com"}}, {"use": []}])");
  const auto entry = [](const std::string& protocol, int port = 80) {
    return "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e, namespace: shop}\nspec: "
           "{hosts: "
           "['api.example.com'], ports: [{name: p, number: " +
           std::to_string(port) + ", protocol: " + protocol + "}], resolution: DNS}\n---\n";
  };
  EXPECT_THAT(check(outside).lines, Contains("error missing-service-entry"));
  EXPECT_THAT(check(outside + entry("HTTP", 8080)).lines, Contains("error missing-service-entry"));
  EXPECT_THAT(check(outside + entry("HTTPS")).lines, Contains("error port-name"));
  for (const char* protocol : {"HTTP", "HTTP2", "GRPC"})
    EXPECT_THAT(check(outside + entry(protocol)).lines, Not(Contains("error missing-service-entry"))) << protocol;
}

TEST(PortName, IsThatOfAnotherProtocol) {
  const std::string plugin = traffic_extension(kRules);
  EXPECT_THAT(check(plugin + service("{name: tcp-pay, port: 8081}", "payments")).lines, Contains("error port-name"));
  EXPECT_THAT(check(plugin + service("{name: http, appProtocol: tls, port: 8081}", "payments")).lines,
              Contains("error port-name"));
  for (const char* port : {"{name: http-pay, port: 8081}", "{port: 8081}", "{name: tcp, port: 9000}"})
    EXPECT_THAT(check(plugin + service(port, "payments")).lines, Not(Contains("error port-name"))) << port;
}

TEST(ModuleSize, IsAConfigMapsAndThatOfAnAnnotation) {
  const std::string kustomization =
      "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nconfigMapGenerator: [{name: m, files: "
      "[a.wasm]}]\n";
  EXPECT_THAT(check(kustomization, 0, 0, nullptr, {{"a.wasm", 1048577}}).lines, Contains("error module-size"));
  EXPECT_THAT(check(kustomization, 0, 0, nullptr, {{"a.wasm", 300000}}).lines, Contains("warning module-size"));
  std::string component = kustomization;
  component.replace(component.find("Kustomization"), 13, "Component");
  EXPECT_THAT(check(component, 0, 0, nullptr, {{"a.wasm", 300000}}).lines, Contains("warning module-size"));
  EXPECT_THAT(check(kustomization, 0, 0, nullptr, {{"a.wasm", 80000}}).text, Not(HasSubstr("[module-size]")));
  EXPECT_THAT(check("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\nbinaryData: {a.wasm: " +
                    std::string(1500000, 'A') + "}\n")
                  .lines,
              Contains("error module-size"));
}

TEST(ModuleSource, IsMountedAndCannotBeReplaced) {
  const std::string mounted = deployment().replace(
      deployment().find("labels:"), 0,
      R"(annotations: {sidecar.istio.io/userVolumeMount: '{"m": {"mountPath": "/var/local/wasm"}}'}, )");
  EXPECT_THAT(check(envoy_filter(kRules) + deployment()).lines, Contains("warning module-source"));
  EXPECT_THAT(check(envoy_filter(kRules) + deployment()).text, HasSubstr("requests go on without headers"));
  EXPECT_THAT(check(envoy_filter(kRules, "", "SIDECAR_INBOUND") + deployment()).text,
              HasSubstr("the pod is not reachable"));
  EXPECT_THAT(check(envoy_filter(kRules) + mounted).text, Not(HasSubstr("[module-source]")));
  EXPECT_THAT(check(traffic_extension(kRules)).text, Not(HasSubstr("[module-source]")));
  std::string tag = traffic_extension(kRules);
  tag.replace(tag.find("@sha256:"), 8 + 64, ":latest");
  EXPECT_THAT(check(tag).lines, Contains("warning module-source"));
  std::string http = traffic_extension(kRules);
  const size_t url = http.find("oci://");
  http.replace(url, http.find('\n', url) - url, "http://modules.example.com/a.wasm");
  EXPECT_THAT(check(http).lines, Contains("error module-source")) << http;
}

TEST(FailurePolicy, SaysWhatFailOpenIs) {
  EXPECT_THAT(
      check(traffic_extension(kRules, "{mode: CLIENT, ports: [{number: 8081}]}", "    failStrategy: FAIL_OPEN\n"))
          .lines,
      Contains("warning failure-policy"));
  EXPECT_THAT(check(envoy_filter(kRules)).lines, Contains("note failure-policy"));
  EXPECT_THAT(check(traffic_extension(kRules)).text, Not(HasSubstr("[failure-policy]")));
}

TEST(OldField, HasASuccessor) {
  EXPECT_THAT(check(envoy_filter(kRules, "fail_open: true")).lines, Contains("warning old-field"));
  EXPECT_THAT(check(envoy_filter(kRules, "fail_open: true")).text, HasSubstr("failure_policy: FAIL_OPEN"));
  std::string filter = envoy_filter(kRules);
  EXPECT_THAT(check(filter).text, Not(HasSubstr("[old-field]")));
  filter.replace(filter.find("  priority: 10\n"), 15, "");
  EXPECT_THAT(check(filter).text, HasSubstr("IST0151"));
  EXPECT_THAT(check("apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: a, namespace: b}\n"
                    "spec: {url: 'oci://a/b:1', selector: {matchLabels: {app: x}}}\n")
                  .lines,
              Contains("note old-field"));
}

TEST(Schema, HasEveryField) {
  EXPECT_THAT(check(traffic_extension(kRules, "{mode: CLIENT, port: [{number: 8081}]}")).text,
              HasSubstr("spec.match[0]: there is no field `port`"));
  EXPECT_THAT(check(traffic_extension(kRules)).text, Not(HasSubstr("[schema]")));
  // An older version of a kind is no fault, and a kind that is unknown neither.
  EXPECT_THAT(
      check("apiVersion: networking.istio.io/v1beta1\nkind: Sidecar\nmetadata: {name: a}\nspec: {egress: [{hosts: "
            "['./*']}]}\n---\napiVersion: other.example/v1\nkind: Sidecar\nmetadata: {name: a}\nspec: {x: 1}\n")
          .text,
      Not(HasSubstr("[schema]")));
}

TEST(OneAssertion, IsThatOfSeveralPods) {
  const std::string exchange =
      R"("sources": [{"name": "obo", "cluster": "idp", "oauth2": {"grant_type": "jwt_bearer"}}])";
  const std::string plugin = traffic_extension(exchange);
  EXPECT_THAT(check(plugin + deployment("replicas: 3")).lines, Contains("warning one-assertion"));
  EXPECT_THAT(check(plugin + deployment("replicas: 1")).lines, Not(Contains("warning one-assertion")));
  EXPECT_THAT(check(plugin + deployment() +
                    "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h, namespace: shop}\n"
                    "spec: {scaleTargetRef: {kind: Deployment, name: orders}, maxReplicas: 4}\n")
                  .text,
              HasSubstr("from each of 4 pods"));
}

TEST(OneAssertion, IsThatOfAVariable) {
  const auto plugin = [](const std::string& assertion) {
    return traffic_extension(R"("sources": [{"name": "a", "cluster": "idp", "oauth2": {"client_assertion": ")" +
                             assertion + "\"}}]");
  };
  EXPECT_THAT(check(plugin("${env:ASSERTION}")).lines, Contains("warning one-assertion"));
  EXPECT_THAT(check(plugin("${source:sa}")).lines, Not(Contains("warning one-assertion")));
}

TEST(SharedData, BelongsToAVmId) {
  const auto other = [](const std::string& vm_id) { return envoy_filter("a", "", "SIDECAR_OUTBOUND", "audit", vm_id); };
  const Checked checked = check(envoy_filter(kRules) + other("one"));
  EXPECT_THAT(checked.lines, Contains("warning shared-data"));
  EXPECT_THAT(checked.text, HasSubstr("the EnvoyFilter `audit` can read what the EnvoyFilter `tokens` shares"));
  EXPECT_THAT(check(envoy_filter(kRules) + other("two")).text, Not(HasSubstr("[shared-data]")));
  // Neither kind has a vm_id, so that all of a pod share.
  std::string audit = traffic_extension("a: b");
  audit.replace(audit.find("name: tokens"), 12, "name: audit");
  EXPECT_THAT(check(traffic_extension(kRules) + audit).text, HasSubstr("both have no vm_id"));
  audit.replace(audit.find("app: orders"), 11, "app: ledger");
  EXPECT_THAT(check(traffic_extension(kRules) + audit).text, Not(HasSubstr("[shared-data]")));
}

TEST(Version, IsWhatChangesForThisConfiguration) {
  const std::string signing = traffic_extension(
      R"("sources": [{"name": "a", "cluster": "idp", "oauth2": {"auth_method": "private_key_jwt"}}])");
  EXPECT_THAT(check(signing, 36, 40).lines, Contains("note version"));
  EXPECT_THAT(check(signing, 40, 36).lines, Contains("error version"));
  EXPECT_THAT(check(signing, 40, 36).text, HasSubstr("there is no function that signs"));
  EXPECT_THAT(check(signing, 34, 36).text, Not(HasSubstr("[version]")));
  EXPECT_THAT(check(signing).text, Not(HasSubstr("[version]")));
  EXPECT_THAT(check(traffic_extension("a: b"), 36, 40).text, HasSubstr("the request hangs"));
  EXPECT_THAT(check(traffic_extension("a: b"), 32, 36).text, HasSubstr("not run here"));
  const std::string restricted =
      envoy_filter(kRules, "capability_restriction_config: {allowed_capabilities: {proxy_log: {}}}");
  EXPECT_THAT(check(restricted, 39, 40).lines, Contains("warning version"));
}

TEST(Version, TellsOfTheProxyItself) {
  const Checked checked = check(traffic_extension(kRules), 36, 38);
  EXPECT_THAT(checked.text, HasSubstr("no more than the container's limit of processors"));
  EXPECT_THAT(checked.text, HasSubstr("7.05, and not 7.1"));
  EXPECT_THAT(check(traffic_extension("a: b"), 36, 37).text, HasSubstr("it gets the request's"));
}

TEST(Version, TellsOfRulesByPath) {
  const std::string by_path =
      R"("sources": [{"name": "a", "cluster": "idp"}], "rules": [{"match": {"path_prefix": "/a"}}])";
  EXPECT_THAT(check(traffic_extension(by_path), 38, 39).text, HasSubstr("makes `/b` of that"));
  EXPECT_THAT(check(traffic_extension(by_path), 39, 38).lines, Contains("warning version"));
  EXPECT_THAT(check(traffic_extension(kRules), 38, 39).text, Not(HasSubstr("makes `/b` of that")));
}

// The clusters that a resource beside the plugin adds.
TEST(Version, TellsOfTheClustersOfProviders) {
  const auto clusters = [](const std::string& value) {
    return "---\napiVersion: networking.istio.io/v1alpha3\nkind: EnvoyFilter\nmetadata: {name: c, namespace: "
           "shop}\nspec:\n"
           "  priority: 10\n  configPatches:\n  - {applyTo: CLUSTER, patch: {operation: ADD, value: " +
           value + "}}\n";
  };
  const std::string plugin = traffic_extension(kRules);
  EXPECT_THAT(check(plugin + clusters("{type: STATIC, transport_socket: {name: t}}"), 37, 38).lines,
              Contains("warning version"));
  EXPECT_THAT(check(plugin + clusters("{type: STATIC}"), 37, 38).text, Not(HasSubstr("the handshake")));
  const std::string by_dns = clusters("{type: STRICT_DNS}");
  EXPECT_THAT(check(plugin + by_dns, 38, 39).text, HasSubstr("they have the new one"));
  EXPECT_THAT(check(plugin + by_dns, 40, 39).lines, Contains("warning version"));
  EXPECT_THAT(check(traffic_extension("a: b") + by_dns, 38, 39).text, Not(HasSubstr("they have the new one")));
  const std::string patch_policy =
      "---\napiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyPatchPolicy\nmetadata: {name: c, namespace: "
      "shop}\nspec:\n"
      "  type: JSONPatch\n  jsonPatches:\n  - {type: type.googleapis.com/envoy.config.cluster.v3.Cluster, name: c, "
      "operation: {op: add, path: '', value: {type: STRICT_DNS}}}\n";
  EXPECT_THAT(check(plugin + patch_policy, 38, 39).text, HasSubstr("they have the new one"));
}

TEST(Version, TellsTwinsApart) {
  std::string two = envoy_filter(kRules, "failure_policy: FAIL_OPEN");
  std::string other = envoy_filter(kRules, "failure_policy: FAIL_CLOSED", "SIDECAR_INBOUND");
  const size_t patches = other.find("  - applyTo");
  two.insert(two.find("---"), other.substr(patches, other.find("---") - patches));
  EXPECT_THAT(check(two, 39, 40).text, HasSubstr("each has its own, and fetches for itself"));
}

TEST(EveryRule, HasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Rule& rule : check_rules_table()) names.insert(rule.name);
  EXPECT_EQ(names.size(), check_rules_table().size());
}

TEST(EveryRule, HasASectionInTheReference) {
  const auto page = read_file(INLAY_SOURCE_DIR "/docs/reference/deploy_check.md", size_t{1} << 20);
  ASSERT_TRUE(page);
  for (const Rule& rule : check_rules_table()) EXPECT_THAT(*page, HasSubstr("\n### " + std::string(rule.name) + "\n"));
}

TEST(Findings, AreJson) {
  Findings findings;
  findings.add(Severity::kNote, "a", {"x.yaml", {2, 3}}, "what \"this\"", "why", "do");
  findings.add(Severity::kError, "b", {"x.yaml", {1, 1}}, "w", "y", "d");
  findings.sort();
  const std::string json = to_json(findings);
  document::Diagnostics diagnostics;
  const auto parsed = document::parse_source(json, true, "json", diagnostics);
  ASSERT_NE(parsed, nullptr) << diagnostics.to_string();
  EXPECT_EQ(parsed->find("findings")->items[0]->find("rule")->text, "b");
  EXPECT_EQ(parsed->find("findings")->items[1]->find("line")->text, "2");
  EXPECT_EQ(parsed->find("errors")->text, "1");
  EXPECT_EQ(to_text(findings),
            "x.yaml:1:1: error: w [b]\n    why: y\n    do:  d\n"
            "x.yaml:2:3: note: what \"this\" [a]\n    why: why\n    do:  do\n"
            "check: 1 error, 0 warnings, 1 note\n");
}

}  // namespace
}  // namespace inlay::deploy
