// SPDX-License-Identifier: Apache-2.0
#include "host/pairs.h"

#include <utility>

#include "abi/pairs.h"

namespace inlay::host {
namespace {

// A map as a range of abi::Pair. (clang 14, which builds the fuzzers, cannot read libstdc++'s <ranges>.)
class AsPairs {
 public:
  explicit AsPairs(const http::HeaderMap& map) : map_(map) {}

  class Iterator {
   public:
    using Entries = decltype(std::declval<const http::HeaderMap&>().begin());
    explicit Iterator(Entries at) : at_(at) {}
    abi::Pair operator*() const { return {at_->name, at_->value}; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    Entries at_;
  };
  Iterator begin() const { return Iterator(map_.begin()); }
  Iterator end() const { return Iterator(map_.end()); }

 private:
  const http::HeaderMap& map_;
};

}  // namespace

bool parse_pairs(std::string_view bytes, Pairs& pairs) {
  pairs.clear();
  if (bytes == std::string_view("\0", 1)) return true;
  if (bytes.size() > kMaxPairsBytes) return false;
  auto reader = abi::PairsReader::open(bytes);
  if (!reader || reader->size() > kMaxPairs) return false;
  size_t end = bytes.empty() ? 0 : 4;
  for (abi::Pair pair; reader->next(pair);) {
    pairs.emplace_back(pair.key, pair.value);
    end = static_cast<size_t>(pair.value.data() + pair.value.size() + 1 - bytes.data());
  }
  if (end == bytes.size()) return true;
  pairs.clear();
  return false;
}

size_t pairs_size(const http::HeaderMap& map) {
  return abi::pairs_size(AsPairs(map));
}

void write_pairs(const http::HeaderMap& map, char* to) {
  abi::write_pairs(AsPairs(map), to);
}

}  // namespace inlay::host
