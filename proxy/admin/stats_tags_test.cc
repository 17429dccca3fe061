// SPDX-License-Identifier: Apache-2.0
#include "proxy/admin/stats_tags.h"

#include <gtest/gtest.h>

namespace inlay::proxy::admin {
namespace {

std::string split(const std::vector<config::StatsTag>& tags, std::string_view name) {
  const PrometheusName result = StatsTags(tags).split(name);
  return result.family + "{" + result.labels + "}";
}

// As the metrics example of the public Go SDK has them.
TEST(StatsTags, TakeLabelsOutOfAGuestsMetric) {
  const std::vector<config::StatsTag> tags = {{"value", "(_value=([a-zA-Z]+))", {}},
                                              {"reporter", "(_reporter=([a-zA-Z]+))", {}}};
  EXPECT_EQ(split(tags, "wasmcustom.custom_header_value_counts_value=foo_reporter=wasmgosdk"),
            R"(custom_header_value_counts{value="foo",reporter="wasmgosdk"})");
  EXPECT_EQ(split(tags, "wasmcustom.other"), "other{}");
  EXPECT_EQ(split(tags, "cluster.app.upstream_cx_total"),
            R"(envoy_cluster_upstream_cx_total{envoy_cluster_name="app"})");
  EXPECT_EQ(split(tags, "cluster.app_value=x.upstream_cx_total"),
            R"(envoy_cluster_upstream_cx_total{value="x",envoy_cluster_name="app"})");
}

TEST(StatsTags, HaveTheWholeGroupAsValueWhereThereIsNoSecond) {
  EXPECT_EQ(split({{"shard", "^wasmcustom\\.requests\\.(\\d+\\.)", {}}}, "wasmcustom.requests.17.ok"),
            R"(requests_ok{shard="17."})");
}

TEST(StatsTags, LookAtTheWholeNameAndMayOverlap) {
  EXPECT_EQ(split({{"a", "(x(y)z)", {}}, {"b", "(yz(w))", {}}}, "wasmcustom.mxyzwn"), R"(mn{a="y",b="w"})");
}

TEST(StatsTags, MayBeFixed) {
  EXPECT_EQ(split({{"my.zone", "", "eu \"1\""}}, "server.live"), R"(envoy_server_live{my_zone="eu \"1\""})");
}

TEST(StatsTags, LeaveANameAloneThatTheyDoNotFit) {
  // Envoy's own tag; no group; a group that took no part; a group that matched nothing.
  EXPECT_EQ(split({{"envoy.cluster_name", "", {}}, {"n", "m", {}}, {"o", "m|(q)", {}}}, "wasmcustom.m"), "m{}");
  EXPECT_EQ(split({{"p", "m()", {}}}, "wasmcustom.m"), R"(m{p=""})");
}

// What Istio's bootstraps have, and RE2 has not.
TEST(StatsTags, MayLookAheadAndBack) {
  EXPECT_EQ(split({{"zone", "^wasmcustom(?=\\.)(.([a-z]+))", {}}}, "wasmcustom.eu.requests"), R"(requests{zone="eu"})");
  EXPECT_EQ(split({{"twice", "((a)\\2)", {}}}, "wasmcustom.maan"), R"(mn{twice="a"})");
}

TEST(StatsTags, OfOneNameTheFirstThatFitsCounts) {
  EXPECT_EQ(split({{"a", "", "1"}, {"a", "", "2"}, {"b", "(x)", {}}, {"b", "(n)$", {}}}, "wasmcustom.mn"),
            R"(m{a="1",b="n"})");
}

TEST(StatsTags, LeaveALongNameAlone) {
  const std::string name = "wasmcustom." + std::string(100'000, 'm');
  const std::vector<config::StatsTag> tags = {{"a", "((m*)*)", {}}};
  EXPECT_EQ(StatsTags(tags).split(name).labels, "");
}

}  // namespace
}  // namespace inlay::proxy::admin
