// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/yaml_text.h"

#include <gtest/gtest.h>

#include "config/scalar_check.h"

namespace inlay::deploy {
namespace {

using config::ScalarType;
using document::Diagnostics;

TEST(YamlScalar, IsPlainWhereNobodyReadsItAsAnythingElse) {
  for (const char* text : {"orders", "docker.io/envoyproxy/envoy:v1.36.2", "127.0.0.1", "50m", "64Mi", "/ready",
                           "shop/payments.shop.svc.cluster.local", "./envoy.yaml:/etc/envoy.yaml:ro"})
    EXPECT_EQ(yaml_scalar(text), text);
}

TEST(YamlScalar, IsQuotedWhereSomeReaderWould) {
  for (const char* text : {"on",
                           "No",
                           "y",
                           "TRUE",
                           "null",
                           "~",
                           "",
                           "0755",
                           "0x1f",
                           "1e3",
                           "1_000",
                           ".5",
                           "12:30:45",
                           "2024-01-01",
                           "2024-01-01T00:00:00Z",
                           "-1",
                           "+1",
                           "a b",
                           "a: b",
                           "a #b",
                           "#a",
                           "- a",
                           "*a",
                           "&a",
                           "!a",
                           "[a]",
                           "{a}",
                           "a:",
                           "outbound|8081||x",
                           "istio-system/*",
                           "<<",
                           "=",
                           "nan",
                           ".inf"})
    EXPECT_EQ(yaml_scalar(text), "'" + std::string(text) + "'");
  EXPECT_EQ(yaml_scalar("it's"), "'it''s'");
  EXPECT_EQ(yaml_scalar("a\nb\t\"c\"\\"), R"("a\nb\t\"c\"\\")");
  EXPECT_EQ(yaml_scalar("\xc2\x85\xe2\x80\xa8"), R"("\u0085\u2028")");
}

TEST(YamlScalar, ComesBackAsTheSameString) {
  for (const std::string text : {"on", "0755", "a\nb", "it's \"x\" \\ y", "\xe2\x82\xac \xf0\x9f\x98\x80", " lead",
                                 "trail ", "\x01\x1f\x7f", "%a", "@a", "`a`", "? a", "a: {b}", "---", "..."}) {
    Diagnostics diagnostics;
    for (const std::string& yaml :
         {"key: " + yaml_scalar(text), "{key: " + yaml_scalar(text) + "}", "key: " + yaml_list({text})}) {
      const auto source = document::parse_source(yaml, false, "test", diagnostics);
      ASSERT_NE(source, nullptr) << yaml << diagnostics.to_string();
      const auto* value = source->find("key");
      if (!value->items.empty()) value = value->items[0].get();
      EXPECT_EQ(value->text, text) << yaml;
      EXPECT_EQ(config::scalar_type(*value), ScalarType::kString) << yaml;
    }
  }
}

std::string same(std::string_view text) {
  return std::string(text);
}

TEST(PrettyJson, WritesScalarsAsTheyWereMeant) {
  Diagnostics diagnostics;
  const auto source = document::parse_source(
      "{a: 1, b: 1.50, c: true, d: null, e: text, f: \"1\", g: [1, x], h: {}, i: [], j: [{k: v}], l: "
      "12345678901234567890, "
      "m: \"a\\nb\\u2028\"}",
      false, "test", diagnostics);
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(pretty_json(*source, same), R"({
  "a": 1,
  "b": 1.50,
  "c": true,
  "d": null,
  "e": "text",
  "f": "1",
  "g": [1, "x"],
  "h": {},
  "i": [],
  "j": [
    {
      "k": "v"
    }
  ],
  "l": 12345678901234567890,
  "m": "a\nb\u2028"
})");
}

TEST(BlockYaml, ComesBackAsTheSameTree) {
  Diagnostics diagnostics;
  const auto source = document::parse_source(
      "{a: 1, c: true, d: null, e: 'on', g: [1, x, [w, z], {p: q, r: [s]}], h: {}, i: [], j: {k: {l: \"m\\nn\"}}, "
      "'on': 5}",
      false, "test", diagnostics);
  ASSERT_NE(source, nullptr);
  const std::string yaml = block_yaml(*source, same);
  const auto again = document::parse_source(yaml, false, "test", diagnostics);
  ASSERT_NE(again, nullptr) << yaml;
  EXPECT_EQ(config::to_json(*again), config::to_json(*source)) << yaml;
  EXPECT_TRUE(
      yaml.starts_with("a: 1\nc: true\nd: null\ne: 'on'\ng:\n- 1\n- x\n- - w\n  - z\n- p: q\n  r:\n  - s\nh: {}\n"))
      << yaml;
}

TEST(IsJsonNumber, TakesJsonsGrammarOnly) {
  for (const char* good : {"0", "-1", "10", "1.5", "1e3", "1E-3", "-0.5e+10"})
    EXPECT_TRUE(is_json_number(good)) << good;
  for (const char* bad : {"", "-", "01", "+1", ".5", "1.", "1e", "0x1", "1_0", "1 ", "NaN"})
    EXPECT_FALSE(is_json_number(bad)) << bad;
}

}  // namespace
}  // namespace inlay::deploy
