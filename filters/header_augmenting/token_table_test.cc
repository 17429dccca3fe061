// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/token_table.h"

#include <gtest/gtest.h>

#include <string>

namespace inlay::header_augmenting {
namespace {

class TokenTableTest : public ::testing::Test {
 protected:
  // put: a token of that set (the low bits of a hash), which is good until then.
  static Token& put(TokenTable& table, uint64_t hash, uint64_t until_ms, const std::string& pairs = "p",
                    Outcome outcome = Outcome::kToken) {
    return table.put({hash, hash}, TokenKey(), outcome, {1, until_ms, until_ms}, pairs, 100);
  }
  static bool has(const TokenTable& table, uint64_t hash) { return table.find({hash, hash}) != nullptr; }
};

TEST_F(TokenTableTest, SetsAreAPowerOfTwo) {
  EXPECT_EQ(sets_for(1, 4), 1u);
  EXPECT_EQ(sets_for(4, 4), 1u);
  EXPECT_EQ(sets_for(11, 4), 2u);
  EXPECT_EQ(sets_for(65536, 4), 16384u);
  EXPECT_EQ(sets_for(4096, 8), 512u);
}

TEST_F(TokenTableTest, FindsWhatWasPutLast) {
  TokenTable table(4096, 1 << 20);
  EXPECT_FALSE(has(table, 1));
  put(table, 1, 200, "one");
  put(table, 1, 300, "two");
  EXPECT_EQ(table.find({1, 1})->pairs(), "two");
  EXPECT_EQ(table.find({1, 1})->times.until_ms, 300u);
  EXPECT_EQ(table.find({1, 2}), nullptr) << "all of the hash counts";
  EXPECT_EQ(table.entries(), 1u);
  EXPECT_EQ(table.evicted(), 0u);
  table.remove(*table.find({1, 1}));
  EXPECT_FALSE(has(table, 1));
  EXPECT_EQ(table.entries(), 0u);
}

TEST_F(TokenTableTest, OneThatIsOverGoesFirstThenARefusalThenTheOneThatEndsFirst) {
  TokenTable table(4, 1 << 20);
  put(table, 1, 900);
  put(table, 2, 50);
  put(table, 3, 5000, "", Outcome::kRefused);
  put(table, 4, 800);
  put(table, 5, 1000);
  EXPECT_FALSE(has(table, 2)) << "over";
  EXPECT_EQ(table.evicted(), 0u);
  put(table, 6, 1000);
  EXPECT_FALSE(has(table, 3)) << "a refusal";
  put(table, 7, 1000);
  EXPECT_FALSE(has(table, 4)) << "ends first";
  EXPECT_EQ(table.evicted(), 2u);
  EXPECT_EQ(table.entries(), 4u);
  EXPECT_TRUE(has(table, 1) && has(table, 5) && has(table, 6) && has(table, 7));
}

TEST_F(TokenTableTest, IsBoundedInBytes) {
  TokenTable table(64, 10 * (sizeof(TokenKey) + 100));
  for (uint64_t i = 0; i < 64; ++i) put(table, i, 1000, std::string(100, 'x'));
  EXPECT_EQ(table.entries(), 10u);
  EXPECT_TRUE(has(table, 63));
  EXPECT_EQ(table.evicted(), 54u);
  put(table, 100, 1000, std::string(5000, 'x'));
  EXPECT_TRUE(has(table, 100)) << "one alone may be more";
  EXPECT_EQ(table.entries(), 1u);
}

}  // namespace
}  // namespace inlay::header_augmenting
