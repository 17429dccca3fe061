// SPDX-License-Identifier: Apache-2.0
#pragma once

// TokenTable: the tokens that one worker has of one source, found by a hash of what they were given for. It is bounded
// in entries and in bytes. Entries stand in sets of four; where a fifth comes, one that is over goes first, then a
// refusal, then the one that ends first.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "filters/header_augmenting/per_request.h"
#include "filters/header_augmenting/sha256.h"
#include "filters/header_augmenting/siphash.h"

namespace inlay::header_augmenting {

// TokenKey: the digest of all that a token was given for, by which workers speak of it.
struct TokenKey {
  char bytes[Sha256::kSize] = {};
  bool operator==(const TokenKey&) const = default;
};

// TokenTimes: of a token, or of a refusal. In milliseconds by sdk::steady_ms(), but for its begin.
struct TokenTimes {
  uint64_t made_ns = 0;     // by which one is told from the next; 0: there is none
  uint64_t until_ms = 0;    // it is used until then
  uint64_t look_at_ms = 0;  // and from then on it is looked for a newer one; not after until_ms
};

// Token: an entry of the table.
struct Token {
  Hash128 hash;
  TokenTimes times;
  char* block = nullptr;  // the key, then the headers; nullptr: the entry is free
  uint32_t size = 0;      // of the headers
  Outcome outcome = Outcome::kToken;

  const TokenKey& key() const { return *reinterpret_cast<const TokenKey*>(block); }
  std::string_view pairs() const { return {block + sizeof(TokenKey), size}; }
};

// sets_for: how many sets of that size: a power of two, so that there are `entries` at most, but one set at least.
uint32_t sets_for(uint64_t entries, size_t set_size);

class TokenTable {
 public:
  static constexpr size_t kWays = 4;

  TokenTable(uint64_t entries, uint64_t most_bytes) : sets_(sets_for(entries, kWays)), most_bytes_(most_bytes) {}
  TokenTable(const TokenTable&) = delete;
  TokenTable& operator=(const TokenTable&) = delete;
  ~TokenTable();

  // find: nullptr if there is none. It may be over.
  Token* find(const Hash128& hash) const;

  // put: an entry in the place of the one of that hash, or of another. What it returns stays until the next put or
  // remove.
  Token& put(const Hash128& hash, const TokenKey& key, Outcome outcome, const TokenTimes& times, std::string_view pairs,
             uint64_t now_ms);

  void remove(Token& token);

  // entries: how many there are. evicted: how many have made room before their end.
  uint64_t entries() const { return entries_; }
  uint64_t evicted() const { return evicted_; }

 private:
  Token* set_of(const Hash128& hash) const { return tokens_ + (hash.a & (sets_ - 1)) * kWays; }
  void make_room(uint64_t bytes, uint64_t now_ms);

  Token* tokens_ = nullptr;  // made with the first entry
  uint32_t sets_;
  uint32_t hand_ = 0;  // the next that goes for want of bytes
  uint64_t most_bytes_;
  uint64_t bytes_ = 0;
  uint64_t entries_ = 0;
  uint64_t evicted_ = 0;
};

}  // namespace inlay::header_augmenting
