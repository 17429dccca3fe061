// SPDX-License-Identifier: Apache-2.0
#pragma once

// TokenSlots: the tokens that all workers of a process have of one source, in shared data, and the leases by which one
// worker at a time asks for one. A key cannot be removed from shared data, so there is a fixed number of them: each
// holds a set of eight slots, which are used over and over. Which set a token belongs to, and which slot it is, says
// its key. A set changes as a whole, by compare-and-swap.
//
// The keys of the shared data are "inlay.header_augmenting.x.1." and the number of a set, four hexadecimal digits:
// there are kMostSets for all sources of a vm_id together, however often their configurations change. Each source's
// sets begin at a place that its name chooses. A value is "IHX1" and the slots: Slot as it stands in memory, the
// numbers of the workers that wait, a byte each, and the headers in the wire form of a header map. Whatever else stands
// there counts as empty and is written over.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "filters/header_augmenting/token_table.h"
#include "sdk/bytes.h"

namespace inlay::header_augmenting {

// Slot: the fixed part.
struct Slot {
  TokenKey key;
  TokenTimes times;
  uint64_t lease_until_ms = 0;  // 0: nobody asks. Otherwise it tells whose lease it is, too: no two end at one time
  uint32_t size = 0;            // of the headers
  Outcome outcome = Outcome::kToken;
  uint8_t waiters = 0;  // how many wait
};

class TokenSlots {
 public:
  static constexpr size_t kSlots = 8;
  static constexpr uint32_t kMostSets = 1 << 13;

  // `entries`: how many tokens there is room for; `set_bytes`: how many bytes of headers a set has at most.
  TokenSlots(std::string_view source, uint64_t entries, size_t set_bytes);

  enum class Claim : uint8_t {
    kFound,   // slot() is it, and pairs() its headers
    kMine,    // this worker asks: lease()
    kTheirs,  // another worker asks, and will tell `waiter`
    kNone,    // not now: every slot of the set is being asked for, or `may_ask` is false
  };
  struct Wanted {
    uint64_t known_ns = 0;  // a token other than this
    uint64_t lease_ms = 0;  // how long asking may take
    uint64_t lease = 0;     // that this worker has already
    uint8_t waiter = 0;     // the number of a worker that wants to be told; 0: none
    bool may_ask = true;
  };
  // claim: what there is under `key`, else the right to ask for it.
  Claim claim(const TokenKey& key, const Wanted& wanted, uint64_t now_ms);

  // After kFound, until the next call.
  const Slot& slot() const { return slots_[at_]; }
  std::string_view pairs() const { return pairs_[at_]; }
  // After kMine.
  uint64_t lease() const { return lease_; }

  // publish: what has come of asking with `lease`, and ends it. An outcome that is not the service's word on the
  // subject (kProviderRefused, kUnavailable), or none (times.made_ns is 0), leaves a token that is still good as it is.
  // Gives the workers that waited, as long as no other member is called. Nothing happens if the lease has been lost.
  std::string_view publish(const TokenKey& key, uint64_t lease, Outcome outcome, const TokenTimes& times,
                           std::string_view pairs, uint64_t now_ms);

  // drop: ends the use of the token that was made then.
  void drop(const TokenKey& key, uint64_t made_ns);

  // fits: whether headers of that size can be kept.
  bool fits(size_t size) const { return size <= set_bytes_; }
  // evicted: how many have made room before their end.
  uint64_t evicted() const { return evicted_; }

 private:
  bool load(const TokenKey& key);
  void decode();
  bool store();
  bool take_place(const TokenKey& key, uint64_t now_ms);
  void clear(size_t index, uint64_t now_ms);

  uint32_t offset_;
  uint32_t sets_;
  size_t set_bytes_;
  uint64_t evicted_ = 0;
  bool shared_ = true;

  // The set that was loaded last.
  uint32_t set_ = 0;
  size_t at_ = 0;  // the slot of the key in hand
  uint32_t cas_ = 0;
  uint64_t lease_ = 0;
  sdk::Bytes value_;
  sdk::Bytes told_;
  Slot slots_[kSlots];
  std::string_view waiters_[kSlots];  // into value_, as pairs_
  std::string_view pairs_[kSlots];
};

}  // namespace inlay::header_augmenting
