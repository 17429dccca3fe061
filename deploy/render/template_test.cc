// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/template.h"

#include <gtest/gtest.h>

#include "deploy/render/embedded.h"

namespace inlay::deploy {
namespace {

std::string filled(std::string_view text, const Context& context) {
  auto result = fill_text(text, context);
  return result ? *result : result.error().to_string();
}

TEST(Template, QuotesTextsAndTakesOthersAsTheyAre) {
  Context context;
  context.set("name", "on").set("port", 8081).set("list", "[a]");
  EXPECT_EQ(filled("name: {{name}}\nport: {{=port}} {{=list}}\n", context), "name: 'on'\nport: 8081 [a]\n");
  EXPECT_EQ(filled("# SPDX-License-Identifier: x\na: {b: {{=port}}}\n", context), "a: {b: 8081}\n");
}

TEST(Template, GivesBlocksTheColumnOfTheirTag) {
  Context context;
  context.set("block", "a: 1\nb:\n  c: 2\n\nd: 3\n").set("empty", "");
  EXPECT_EQ(filled("x:\n- {{>block}}\n  {{>empty}}\ny: 1\n", context), "x:\n- a: 1\n  b:\n    c: 2\n\n  d: 3\ny: 1\n");
}

TEST(Template, RepeatsSectionsAndLooksAround) {
  Context context;
  context.set("outer", "o").flag("none", false);
  context.add("items").set("name", "a").flag("deep", true);
  context.add("items").set("name", "b").flag("deep", false);
  EXPECT_EQ(
      filled(
          "{{#items}}\n- {{=name}}{{=outer}}\n{{#deep}}\n  deep\n{{/deep}}\n{{^deep}}\n  flat\n{{/deep}}\n{{/items}}\n"
          "{{#none}}\nnever\n{{/none}}\n{{^none}}\nalways\n{{/none}}\n",
          context),
      "- ao\n  deep\n- bo\n  flat\nalways\n");
}

TEST(Template, NamesWhatIsMissing) {
  const Context context;
  EXPECT_EQ(filled("{{=nothing}}\n", context), "template: there is no value nothing");
  EXPECT_EQ(filled("{{#nothing}}\n{{/nothing}}\n", context), "template: there is no section nothing");
  EXPECT_EQ(filled("{{#nothing}}\n", context), "template: the section #nothing has no end");
  EXPECT_EQ(fill_template("templates/none.yaml", context).error().message, "there is no template templates/none.yaml");
}

TEST(Embedded, HasTheFilesByName) {
  EXPECT_TRUE(embedded_file("templates/cluster.yaml").starts_with("# SPDX"));
  EXPECT_NE(embedded_file("istio_crds.yaml").find("EnvoyFilter:"), std::string_view::npos);
  EXPECT_EQ(embedded_file("cluster.yaml"), "");
}

}  // namespace
}  // namespace inlay::deploy
