// SPDX-License-Identifier: Apache-2.0
#include "deploy/check/manifests.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/temporary_directory.h"

namespace inlay::deploy {
namespace {

Manifests read(std::string_view text, const std::string& file = "a.yaml") {
  document::Diagnostics diagnostics;
  Manifests manifests;
  add_manifest(file, text, manifests, diagnostics);
  EXPECT_EQ(diagnostics.to_string(), "");
  return manifests;
}

TEST(Manifests, AreDocumentsWithTheirPlaces) {
  const Manifests manifests = read(
      "# made by hand\n---\nkind: Service\nmetadata: {name: a, namespace: b}\n---\n\n---\nkind: Pod\nmetadata: {name: "
      "c}\n");
  ASSERT_EQ(manifests.resources.size(), 2u);
  EXPECT_EQ(manifests.resources[0].name, "a");
  EXPECT_EQ(manifests.resources[0].name_space, "b");
  EXPECT_EQ(manifests.resources[0].site().place.line, 3u);
  EXPECT_EQ(manifests.resources[1].kind, "Pod");
  EXPECT_EQ(manifests.resources[1].site().place.line, 8u);
}

TEST(Manifests, AreAlsoTheItemsOfAList) {
  const Manifests manifests = read("kind: List\nitems: [{kind: Pod, metadata: {name: a}}, {kind: Service}]\n");
  ASSERT_EQ(manifests.resources.size(), 2u);
  EXPECT_EQ(manifests.of_kind("Service").size(), 1u);
}

TEST(Manifests, AreJsonToo) {
  EXPECT_EQ(read(R"({"kind": "Pod", "metadata": {"name": "a"}})", "a.json").resources.at(0).name, "a");
}

TEST(Manifests, WhatIsNoneIsLeftOut) {
  EXPECT_TRUE(read("- a\n- b\n").resources.empty());
  EXPECT_TRUE(read("a: b\n").resources.empty());
  EXPECT_TRUE(read("").resources.empty());
}

TEST(Manifests, OfAFolderAreThoseOfItsFilesAndItsModules) {
  const TemporaryDirectory folder("inlay-manifests-");
  std::filesystem::create_directory(folder.file("sub"));
  std::ofstream(folder.file("sub/b.yml")) << "kind: Pod\n";
  std::ofstream(folder.file("a.yaml")) << "kind: Service\n";
  std::ofstream(folder.file("m.wasm")) << "1234";
  std::ofstream(folder.file("c.txt")) << "kind: Job\n";
  document::Diagnostics diagnostics;
  Manifests manifests;
  ASSERT_TRUE(read_folder(folder.path(), manifests, diagnostics));
  ASSERT_EQ(manifests.resources.size(), 2u);
  EXPECT_EQ(manifests.resources[0].kind, "Service");
  ASSERT_EQ(manifests.modules.size(), 1u);
  EXPECT_EQ(manifests.modules[0].size, 4u);
}

TEST(Manifests, SayWhatCannotBeRead) {
  document::Diagnostics diagnostics;
  Manifests manifests;
  add_manifest("a.yaml", "kind: Pod\n---\na: [\n", manifests, diagnostics);
  EXPECT_NE(diagnostics.to_string().find("a.yaml:"), std::string::npos);
  const TemporaryDirectory folder("inlay-manifests-");
  EXPECT_FALSE(read_folder(folder.path(), manifests, diagnostics));
  EXPECT_FALSE(read_folder(folder.file("none"), manifests, diagnostics));
}

TEST(Labels, AreSelectedByAllOfASelector) {
  EXPECT_TRUE(selects({{"a", "1"}}, {{"a", "1"}, {"b", "2"}}));
  EXPECT_FALSE(selects({{"a", "1"}, {"b", "3"}}, {{"a", "1"}, {"b", "2"}}));
  EXPECT_FALSE(selects({}, {{"a", "1"}}));
}

}  // namespace
}  // namespace inlay::deploy
