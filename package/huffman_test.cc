// SPDX-License-Identifier: Apache-2.0
#include "package/huffman.h"

#include <gtest/gtest.h>

#include <random>

namespace inlay::package {
namespace {

// A complete code: the shares of all words add up to 1.
void expect_complete(const std::vector<uint8_t>& lengths, unsigned limit) {
  uint64_t sum = 0;
  for (const uint8_t length : lengths) {
    EXPECT_LE(length, limit);
    if (length != 0) sum += uint64_t{1} << (limit - length);
  }
  EXPECT_EQ(sum, uint64_t{1} << limit);
}

TEST(Huffman, TheBestCodeWhereTheLimitAllowsIt) {
  const std::vector<uint32_t> counts = {45, 13, 12, 16, 9, 5};
  EXPECT_EQ(code_lengths(counts, 15), (std::vector<uint8_t>{1, 3, 3, 3, 4, 4}));
}

TEST(Huffman, TheLimitHolds) {
  std::vector<uint32_t> counts;
  for (int i = 0; i < 24; ++i) counts.push_back(1u << i);
  for (const unsigned limit : {5u, 7u, 15u}) expect_complete(code_lengths(counts, limit), limit);
}

TEST(Huffman, AtLeastTwoSymbolsGetACode) {
  EXPECT_EQ(code_lengths(std::vector<uint32_t>{0, 0, 0}, 7), (std::vector<uint8_t>{1, 1, 0}));
  EXPECT_EQ(code_lengths(std::vector<uint32_t>{0, 0, 9}, 7), (std::vector<uint8_t>{1, 0, 1}));
}

TEST(Huffman, RandomCountsMakeCompleteCodes) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<uint32_t> counts(1 + random() % 286 + 1);
    for (uint32_t& count : counts) count = random() % 3 == 0 ? 0 : random() % (1u << random() % 20) + 1;
    expect_complete(code_lengths(counts, 15), 15);
  }
}

// RFC 1951, 3.2.2, the example: lengths 3 3 3 3 3 2 4 4 give 010 011 100 101 110 00 1110 1111.
TEST(Huffman, CodesAreThoseOfTheStandard) {
  const PrefixCode code = prefix_code({3, 3, 3, 3, 3, 2, 4, 4});
  EXPECT_EQ(code.codes, (std::vector<uint16_t>{0b010, 0b110, 0b001, 0b101, 0b011, 0b00, 0b0111, 0b1111}));
}

}  // namespace
}  // namespace inlay::package
