// SPDX-License-Identifier: Apache-2.0
#pragma once

// Lease: one worker's right to fetch for all of them. It is taken, kept and given back in the shared entry by
// compare-and-swap; a holder that dies loses it by the passing of time.

#include <cstdint>
#include <string_view>

#include "filters/header_augmenting/shared_entry.h"

namespace inlay::header_augmenting {

// Lease gives itself back when it is destroyed before publish or fail: a fetch that is cancelled with its worker is
// taken over at once.
class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept : entry_(other.entry_), number_(other.number_) { other.entry_ = nullptr; }
  Lease& operator=(Lease&&) = delete;
  ~Lease();

  // is_free: whether nobody holds the lease of `entry`, as it was last loaded. One that reaches further into the future
  // than any can, comes from a clock that was set back (of a host that has but the wall clock), and counts for nothing.
  static bool is_free(const SharedEntry& entry, uint64_t now_ms, uint64_t length_ms);

  // take: the lease of `entry`, which must outlive it, for `length_ms`. Not held if another worker was faster.
  static Lease take(SharedEntry& entry, uint64_t now_ms, uint64_t length_ms);

  bool held() const { return entry_ != nullptr; }

  // publish: puts new headers into the entry, and gives the lease back. The times and flags are those of `values`.
  // False if the lease was lost to another worker, who publishes instead.
  bool publish(std::string_view pairs, const EntryState& values);

  // fail: counts a failed fetch, from one if it is of another kind than the last, keeps the headers, and gives the
  // lease back. Its kind (kPermanent), when the next fetch is due or wanted, what the last one was made of and what was
  // said of it are those of `values`.
  bool fail(const EntryState& values);

 private:
  Lease(SharedEntry& entry, uint64_t number) : entry_(&entry), number_(number) {}
  enum class End : uint8_t { kPublished, kFailed, kGivenBack };
  bool finish(End end, const EntryState& values, std::string_view pairs);

  SharedEntry* entry_ = nullptr;
  uint64_t number_ = 0;
};

}  // namespace inlay::header_augmenting
