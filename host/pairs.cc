// SPDX-License-Identifier: Apache-2.0
#include "host/pairs.h"

#include <ranges>

#include "abi/pairs.h"

namespace inlay::host {
namespace {

auto as_pairs(const HeaderMap& map) {
  return std::views::transform(map, [](const HeaderMap::Entry& e) { return abi::Pair{e.name, e.value}; });
}

}  // namespace

bool parse_pairs(std::string_view bytes, Pairs& pairs) {
  pairs.clear();
  if (bytes == std::string_view("\0", 1)) return true;
  if (bytes.size() > kMaxPairsBytes) return false;
  auto reader = abi::PairsReader::open(bytes);
  if (!reader || reader->size() > kMaxPairs) return false;
  for (abi::Pair pair; reader->next(pair);) pairs.emplace_back(pair.key, pair.value);
  return true;
}

size_t pairs_size(const HeaderMap& map) {
  return abi::pairs_size(as_pairs(map));
}

void write_pairs(const HeaderMap& map, char* to) {
  abi::write_pairs(as_pairs(map), to);
}

}  // namespace inlay::host
