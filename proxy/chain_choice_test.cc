// SPDX-License-Identifier: Apache-2.0
#include "proxy/chain_choice.h"

#include <gtest/gtest.h>

namespace inlay::proxy {
namespace {

using config::FilterChainMatch;

class ChooseChain : public ::testing::Test {
 protected:
  // The place of the chain that is chosen, -1: none.
  int choose(std::string_view name, bool tls = true) {
    std::vector<const FilterChainMatch*> all;
    for (const FilterChainMatch& match : chains_) all.push_back(&match);
    const auto chosen = choose_chain(all, name, tls);
    return chosen ? static_cast<int>(*chosen) : -1;
  }
  std::vector<FilterChainMatch> chains_;
};

TEST_F(ChooseChain, TheNearestName) {
  chains_ = {{{"*.test"}, "", false}, {{"*.b.test"}, "", false}, {{"a.b.test", "c.test"}, "", false}, {{}, "", false}};
  EXPECT_EQ(choose("a.b.test"), 2);
  EXPECT_EQ(choose("x.b.test"), 1);
  EXPECT_EQ(choose("y.x.b.test"), 1);
  EXPECT_EQ(choose("b.test"), 0);
  EXPECT_EQ(choose("c.test"), 2);
  EXPECT_EQ(choose("test"), 3);
  EXPECT_EQ(choose(""), 3);
}

TEST_F(ChooseChain, TheProtocolBeforeAny) {
  chains_ = {{{}, "", false}, {{}, "tls", false}};
  EXPECT_EQ(choose("", true), 1);
  EXPECT_EQ(choose("", false), 0);
}

TEST_F(ChooseChain, NoWayBackFromAName) {
  chains_ = {{{"a.test"}, "raw_buffer", false}, {{}, "", false}};
  EXPECT_EQ(choose("a.test", true), -1);
  chains_.push_back({{}, "", true});
  EXPECT_EQ(choose("a.test", true), 2);
}

TEST_F(ChooseChain, TheDefaultForWhatNoOtherTakes) {
  chains_ = {{{"a.test"}, "", false}, {{}, "", true}};
  EXPECT_EQ(choose("a.test"), 0);
  EXPECT_EQ(choose("b.test"), 1);
  EXPECT_EQ(choose("", false), 1);
  chains_.pop_back();
  EXPECT_EQ(choose("b.test"), -1);
}

}  // namespace
}  // namespace inlay::proxy
