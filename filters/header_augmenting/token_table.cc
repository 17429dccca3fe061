// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/token_table.h"

#include <bit>
#include <cstdlib>
#include <new>

namespace inlay::header_augmenting {
namespace {

uint64_t bytes_of(size_t pairs) {
  return sizeof(TokenKey) + pairs;
}

// rank: which entry of a set goes first, the lowest.
uint64_t rank(const Token& token, uint64_t now_ms) {
  if (token.block == nullptr) return 0;
  if (now_ms >= token.times.until_ms) return 1;
  return token.outcome == Outcome::kToken ? token.times.until_ms : 2;
}

}  // namespace

uint32_t sets_for(uint64_t entries, size_t set_size) {
  return entries < set_size ? 1 : static_cast<uint32_t>(std::bit_floor(entries / set_size));
}

TokenTable::~TokenTable() {
  for (size_t i = 0; tokens_ != nullptr && i < sets_ * kWays; ++i) std::free(tokens_[i].block);
  std::free(tokens_);
}

Token* TokenTable::find(const Hash128& hash) const {
  if (tokens_ == nullptr) return nullptr;
  Token* const set = set_of(hash);
  for (size_t i = 0; i < kWays; ++i) {
    if (set[i].hash == hash && set[i].block != nullptr) return &set[i];
  }
  return nullptr;
}

void TokenTable::remove(Token& token) {
  bytes_ -= bytes_of(token.size);
  --entries_;
  std::free(token.block);
  token = {};
}

void TokenTable::make_room(uint64_t bytes, uint64_t now_ms) {
  while (entries_ != 0 && bytes_ + bytes > most_bytes_) {
    Token& token = tokens_[hand_++ & (sets_ * kWays - 1)];
    if (token.block == nullptr) continue;
    if (now_ms < token.times.until_ms) ++evicted_;
    remove(token);
  }
}

Token& TokenTable::put(const Hash128& hash, const TokenKey& key, Outcome outcome, const TokenTimes& times,
                       std::string_view pairs, uint64_t now_ms) {
  if (tokens_ == nullptr) {
    tokens_ = static_cast<Token*>(std::malloc(sets_ * kWays * sizeof(Token)));
    if (tokens_ == nullptr) __builtin_trap();
    for (size_t i = 0; i < sets_ * kWays; ++i) ::new (tokens_ + i) Token();
  }
  Token* place = find(hash);
  const bool again = place != nullptr;
  if (!again) {
    place = set_of(hash);
    for (size_t i = 1; i < kWays; ++i) {
      Token& other = set_of(hash)[i];
      if (rank(other, now_ms) < rank(*place, now_ms)) place = &other;
    }
  }
  if (place->block != nullptr) {
    if (!again && now_ms < place->times.until_ms) ++evicted_;
    remove(*place);
  }
  make_room(bytes_of(pairs.size()), now_ms);
  char* const block = static_cast<char*>(std::malloc(bytes_of(pairs.size())));
  if (block == nullptr) __builtin_trap();
  ::new (block) TokenKey(key);
  pairs.copy(block + sizeof(TokenKey), pairs.size());
  bytes_ += bytes_of(pairs.size());
  ++entries_;
  *place = {hash, times, block, static_cast<uint32_t>(pairs.size()), outcome};
  return *place;
}

}  // namespace inlay::header_augmenting
