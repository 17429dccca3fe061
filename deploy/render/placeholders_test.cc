// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/placeholders.h"

#include <gtest/gtest.h>

namespace inlay::deploy {
namespace {

using Kind = Placeholder::Kind;

std::string found_in(std::string_view text) {
  std::string out;
  for (const Placeholder& one : find_placeholders(text)) {
    out += one.kind == Kind::kCluster ? "cluster " : "env ";
    out += std::string(one.name) + (one.closed ? ";" : " unclosed;");
  }
  return out;
}

std::string replaced(std::string_view text) {
  return replace_clusters(text, [](std::string_view name) { return "<" + std::string(name) + ">"; });
}

TEST(Placeholders, AreFoundInTheirOrder) {
  EXPECT_EQ(found_in("a ${cluster:idp} b ${env:TOKEN}${env:X"), "cluster idp;env TOKEN;env X unclosed;");
  EXPECT_EQ(found_in("$ { ${ ${other:x} ${"), "");
  EXPECT_TRUE(has_placeholder("${env:A}${cluster:b}", Kind::kCluster));
  EXPECT_FALSE(has_placeholder("${env:A}", Kind::kCluster));
}

TEST(Placeholders, TwoDollarsBeginNone) {
  EXPECT_EQ(found_in("$${env:A} $$${cluster:b}"), "");
  EXPECT_EQ(found_in("$${${env:A}"), "env A;") << "behind one that is written so";
  EXPECT_EQ(replaced("$${cluster:a} ${cluster:b}"), "$${cluster:a} <b>");
}

TEST(Placeholders, ClustersAreReplaced) {
  EXPECT_EQ(replaced("${cluster:a}, ${env:A} and ${cluster:b}."), "<a>, ${env:A} and <b>.");
  EXPECT_EQ(replaced("${cluster:a} ${cluster:b"), "<a> ${cluster:b");
  EXPECT_EQ(replaced(""), "");
}

}  // namespace
}  // namespace inlay::deploy
