// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/rules.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "deploy/render/istio.h"
#include "deploy/render/testdata_modules.h"

namespace inlay::deploy {
namespace {

constexpr const char* kOne = "payments.shop.svc.cluster.local";

class Rules : public ::testing::Test {
 protected:
  // What is wrong with the values, or the configuration that istio gets, without white space.
  std::string configured(const std::string& configuration, const std::string& destinations,
                         const std::string& module = "{file: good.wasm}", const std::string& direction = "outbound") {
    const std::string text = "name: a\nnamespace: shop\nmodule: " + module +
                             "\nplugin: {name: p, configuration: " + configuration +
                             "}\nworkload: {name: orders, port: 8090}\ntraffic: {direction: " + direction +
                             (destinations.empty() ? "" : ", destinations: [" + destinations + "]") + "}\n" +
                             "services: [{name: near, sidecar: {port: 8082}}]\n";
    Diagnostics diagnostics;
    const auto values = read_values_text(text, "v", modules_.folder(), diagnostics);
    if (!values) return diagnostics.to_string();
    std::string out = configuration_text(*values, istio_names(ProxyKind::kSidecar)).text;
    out.erase(std::remove_if(out.begin(), out.end(), [](char c) { return c == ' ' || c == '\n'; }), out.end());
    return out;
  }

  static std::string destination(const std::string& host = kOne, const std::string& more = "") {
    return "{host: " + host + ", port: 8081" + more + "}";
  }

  TestModules modules_;
};

TEST_F(Rules, GiveHeadersToTheDestinationsOnly) {
  const std::string rules =
      R"("rules":[{"match":{"cluster":"outbound|8081||payments.shop.svc.cluster.local"}},{"use":[]}]})";
  EXPECT_EQ(configured("{header_cache_expiry: 5s}", destination()), R"({"header_cache_expiry":"5s",)" + rules);
  EXPECT_EQ(configured("null", destination()), "{" + rules);
  EXPECT_EQ(configured("{rules: []}", destination()), "{" + rules);
  EXPECT_EQ(configured("{header_cache_expiry: 5s}", "", "{file: good.wasm}", "inbound"),
            R"({"header_cache_expiry":"5s"})");
}

TEST_F(Rules, NameEachClusterThatADestinationHas) {
  const std::string two = configured("{}", destination("payments", ", subsets: [v1, v2]") + ", " +
                                               destination("search.other.svc") + ", " + destination("api.example.com"));
  EXPECT_EQ(two, R"({"rules":[{"match":{"cluster":"outbound|8081||payments.shop.svc.cluster.local"}},)"
                 R"({"match":{"cluster":"outbound|8081|v1|payments.shop.svc.cluster.local"}},)"
                 R"({"match":{"cluster":"outbound|8081|v2|payments.shop.svc.cluster.local"}},)"
                 R"({"match":{"cluster":"outbound|8081||search.other.svc.cluster.local"}},)"
                 R"({"match":{"cluster":"outbound|8081||api.example.com"}},{"use":[]}]})");
}

TEST_F(Rules, OfTheValuesFileAreNarrowed) {
  const std::string own = "{rules: [{match: {path: /healthz}, use: []}, {mode: if_absent}], max_body: 10}";
  EXPECT_EQ(configured(own, destination("a.x.svc") + ", " + destination("b.x.svc")),
            R"({"rules":[)"
            R"({"match":{"path":"/healthz"},"use":[]},)"
            R"({"match":{"cluster":"outbound|8081||a.x.svc.cluster.local"},"mode":"if_absent"},)"
            R"({"match":{"cluster":"outbound|8081||b.x.svc.cluster.local"},"mode":"if_absent"},)"
            R"({"use":[]}],"max_body":10})");
}

TEST_F(Rules, ThatGiveNothingHoldForAllThatTheListenerTakes) {
  const std::string own =
      "{rules: [{use: [t], match: {path: /x}}, {match: {path: /y}, use: [], remove: [x-user]}, "
      "{match: {cluster: \"${cluster:a.x.svc}\"}, use: []}, {use: [], remove: [x-debug]}]}";
  EXPECT_EQ(configured(own, destination("a.x.svc")),
            R"({"rules":[)"
            R"({"use":["t"],"match":{"cluster":"outbound|8081||a.x.svc.cluster.local","path":"/x"}},)"
            R"({"match":{"path":"/y"},"use":[],"remove":["x-user"]},)"
            R"({"match":{"cluster":"outbound|8081||a.x.svc.cluster.local"},"use":[]},)"
            R"({"use":[],"remove":["x-debug"]},{"use":[]}]})");
}

TEST_F(Rules, CanNameTheirDestination) {
  const std::string own =
      "{rules: [{match: {cluster: \"${cluster:b}\", path: /x}, use: [t]}, {match: {cluster: \"${cluster:a:8081}\"}}]}";
  EXPECT_EQ(configured(own, destination("a") + ", " + destination("b", ", subsets: [v1]")),
            R"({"rules":[{"match":{"cluster":"outbound|8081||b.shop.svc.cluster.local","path":"/x"},"use":["t"]},)"
            R"({"match":{"cluster":"outbound|8081|v1|b.shop.svc.cluster.local","path":"/x"},"use":["t"]},)"
            R"({"match":{"cluster":"outbound|8081||a.shop.svc.cluster.local"}},{"use":[]}]})");
}

TEST_F(Rules, ThatCannotBeNarrowedAreRefused) {
  for (const char* cluster : {"outbound|80||evil.example", "${cluster:near}", "x${cluster:a}", "${cluster:a}x", "[a]"})
    EXPECT_NE(configured("{rules: [{match: {cluster: \"" + std::string(cluster) + "\"}}]}", destination("a"))
                  .find("plugin.configuration.rules[0].match.cluster: expected the host of one of "
                        "`traffic.destinations`, found the string"),
              std::string::npos)
        << cluster;
  EXPECT_NE(configured("{rules: all}", destination()).find("plugin.configuration.rules: expected a list"),
            std::string::npos);
  EXPECT_NE(configured("{rules: [{match: all}]}", destination()).find("rules[0]: expected a map"), std::string::npos);
  EXPECT_NE(configured("{rules: [all]}", destination()).find("rules[0]: expected a map"), std::string::npos);
  EXPECT_NE(configured("'{\"rules\": []}'", destination()).find("plugin.configuration: expected a map, found a text"),
            std::string::npos);
}

TEST_F(Rules, AreForDestinationsThatStandOnce) {
  EXPECT_NE(configured("{}", destination() + ", " + destination("payments")).find("this destination stands twice"),
            std::string::npos);
  EXPECT_NE(configured("{}", destination("a", ", subsets: [v1, v1]")).find("this subset stands twice"),
            std::string::npos);
}

TEST_F(Rules, AreForTheFilterThatKnowsThem) {
  EXPECT_EQ(configured("{a: 1}", destination(), "{file: foreign.wasm}"), R"({"a":1})");
  EXPECT_EQ(configured("a text", destination(), "{file: foreign.wasm}"), "atext");
  const std::string elsewhere = "{oci: \"oci://r.example/f@sha256:" + std::string(64, 'a') + "\"}";
  EXPECT_EQ(configured("{a: 1}", destination(), elsewhere), R"({"a":1})");
  EXPECT_EQ(configured("{sources: [{x: 1}]}", destination(), elsewhere), R"({"sources":[{"x":1}]})");
  for (const char* known : {"{header_providing_service_path: /x}", "{sources: [{oauth2: {}}]}"})
    EXPECT_NE(configured(known, destination(), elsewhere).find("outbound|8081||"), std::string::npos) << known;
  for (const char* text : {"'{\"sources\": []}'", "'{\"header_cache_expiry\": \"5s\"}'"})
    EXPECT_NE(configured(text, destination(), elsewhere).find("plugin.configuration: expected a map, found a text"),
              std::string::npos)
        << text;
}

TEST(CanAugment, ReadsRulesAsTheFilterDoes) {
  const auto gets = [](const std::string& rules, std::string_view cluster) {
    return can_augment("{\"rules\": [" + rules + "]}", cluster);
  };
  EXPECT_TRUE(can_augment("", "a"));
  EXPECT_TRUE(can_augment("{}", "a"));
  EXPECT_TRUE(gets("", "a"));
  EXPECT_TRUE(gets("{}", "a"));
  EXPECT_TRUE(gets(R"({"match": {"cluster": "b"}}, {"match": {"path": "/"}})", "a"));
  EXPECT_TRUE(gets(R"({"match": {"cluster": "a", "path": "/"}, "use": []}, {})", "a"));
  EXPECT_TRUE(gets(R"({"match": {"cluster": "a"}, "use": ["t"]}, {"use": []})", "a"));
  EXPECT_FALSE(gets(R"({"match": {"cluster": "a"}}, {"use": []})", "b"));
  EXPECT_FALSE(can_augment(R"({"x": 1e999, "rules": [{"use": []}]})", "b"));
  EXPECT_FALSE(gets(R"({"match": {"cluster": "a"}})", "b"));
  EXPECT_FALSE(gets(R"({"match": {"cluster": "a"}, "use": []}, {})", "a"));
}

}  // namespace
}  // namespace inlay::deploy
