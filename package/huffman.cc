// SPDX-License-Identifier: Apache-2.0
#include "package/huffman.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace inlay::package {
namespace {

// Coin is a symbol, or a package of coins, in the package-merge algorithm of Larmore and Hirschberg.
struct Coin {
  uint64_t weight = 0;
  std::vector<uint16_t> symbols;
};

bool lighter(const Coin& a, const Coin& b) {
  return a.weight < b.weight;
}

std::vector<Coin> symbols_of(std::span<const uint32_t> counts) {
  std::vector<Coin> coins;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != 0) coins.push_back({counts[i], {static_cast<uint16_t>(i)}});
  }
  for (size_t i = 0; i < counts.size() && coins.size() < 2; ++i) {
    if (counts[i] == 0) coins.push_back({1, {static_cast<uint16_t>(i)}});
  }
  std::stable_sort(coins.begin(), coins.end(), lighter);
  return coins;
}

std::vector<Coin> pairs_of(std::vector<Coin> coins) {
  std::vector<Coin> pairs;
  for (size_t i = 0; i + 1 < coins.size(); i += 2) {
    Coin pair = std::move(coins[i]);
    pair.weight += coins[i + 1].weight;
    pair.symbols.insert(pair.symbols.end(), coins[i + 1].symbols.begin(), coins[i + 1].symbols.end());
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

uint16_t reversed(unsigned code, unsigned length) {
  unsigned result = 0;
  for (unsigned i = 0; i < length; ++i) result |= ((code >> i) & 1u) << (length - 1 - i);
  return static_cast<uint16_t>(result);
}

}  // namespace

std::vector<uint8_t> code_lengths(std::span<const uint32_t> counts, unsigned limit) {
  const std::vector<Coin> symbols = symbols_of(counts);
  std::vector<Coin> coins = symbols;
  for (unsigned i = 1; i < limit; ++i) {
    const std::vector<Coin> pairs = pairs_of(std::move(coins));
    coins.clear();
    std::merge(symbols.begin(), symbols.end(), pairs.begin(), pairs.end(), std::back_inserter(coins), lighter);
  }
  std::vector<uint8_t> lengths(counts.size(), 0);
  const size_t taken = std::min(coins.size(), 2 * symbols.size() - 2);
  for (size_t i = 0; i < taken; ++i) {
    for (const uint16_t symbol : coins[i].symbols) ++lengths[symbol];
  }
  return lengths;
}

PrefixCode prefix_code(std::vector<uint8_t> lengths) {
  constexpr size_t kMaxLength = 15;
  std::array<unsigned, kMaxLength + 2> next{};
  for (const uint8_t length : lengths) {
    if (length != 0) ++next[length + 1u];
  }
  unsigned code = 0;
  for (size_t length = 1; length <= kMaxLength; ++length) {
    code = (code + next[length]) << 1;
    next[length] = code;
  }
  PrefixCode result;
  for (const uint8_t length : lengths) {
    result.codes.push_back(length == 0 ? uint16_t{0} : reversed(next[length]++, length));
  }
  result.lengths = std::move(lengths);
  return result;
}

}  // namespace inlay::package
