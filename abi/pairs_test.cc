// SPDX-License-Identifier: Apache-2.0
#include "abi/pairs.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace inlay::abi {
namespace {

std::string encode(const std::vector<Pair>& pairs) {
  std::string out(pairs_size(pairs), '\xee');
  EXPECT_EQ(write_pairs(pairs, out.data()), out.data() + out.size());
  return out;
}

// Decodes from a heap block of exactly the right size, so that the address sanitizer sees one byte too many.
std::optional<std::vector<std::pair<std::string, std::string>>> decode(std::string_view bytes) {
  auto exact = std::make_unique<char[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  auto reader = PairsReader::open({exact.get(), bytes.size()});
  if (!reader) return std::nullopt;
  std::vector<std::pair<std::string, std::string>> out;
  for (Pair p; reader->next(p);) out.emplace_back(p.key, p.value);
  EXPECT_EQ(out.size(), reader->size());
  return out;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(Pairs, WireFormIsTheSpecifications) {
  EXPECT_EQ(encode({{"a", "bc"}}), std::string("\1\0\0\0\1\0\0\0\2\0\0\0a\0bc\0", 17));
  EXPECT_EQ(encode({}), std::string(4, '\0'));
}

TEST(Pairs, ComesBackAsItWas) {
  const std::string long_value(70000, 'v');
  auto decoded = decode(encode({{":path", "/"}, {"", ""}, {"x", long_value}, {"nul", std::string_view("a\0b", 3)}}));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, (Pairs{{":path", "/"}, {"", ""}, {"x", long_value}, {"nul", std::string("a\0b", 3)}}));
}

TEST(Pairs, NoBytesIsAnEmptyMap) {
  EXPECT_EQ(decode(""), Pairs{});
}

TEST(Pairs, EveryTruncationIsRefused) {
  const std::string whole = encode({{"name", "value"}, {"k", ""}});
  for (size_t n = 1; n < whole.size(); ++n) EXPECT_FALSE(decode(whole.substr(0, n))) << n;
  EXPECT_TRUE(decode(whole + "tail"));
}

TEST(Pairs, ImpossibleCountsAndSizesAreRefused) {
  EXPECT_FALSE(decode(std::string("\xff\xff\xff\xff", 4)));
  EXPECT_FALSE(decode(std::string("\xff\xff\xff\x7f", 4) + std::string(64, '\0')));
  std::string huge = encode({{"a", "b"}});
  huge.replace(4, 4, "\xff\xff\xff\xff");
  EXPECT_FALSE(decode(huge));
  std::string no_nul = encode({{"a", "b"}});
  no_nul.back() = 'x';
  EXPECT_FALSE(decode(no_nul));
}

TEST(Pairs, AnyBytesAreSafe) {
  std::mt19937 random(7);
  const std::string whole = encode({{"name", "value"}, {"k", "v"}, {"content-type", "text/plain"}});
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = whole;
    for (int n = 0; n < 3; ++n) bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % (bytes.size() + 1));
    (void)decode(bytes);
  }
}

}  // namespace
}  // namespace inlay::abi
