// SPDX-License-Identifier: Apache-2.0
#pragma once

// SharedEntry: what the workers of one process share about one source, under one key of the shared data: the last good
// headers, when they are due to be renewed, and the lease of whoever renews them. Everything changes in one
// compare-and-swap, so a lease and a publication can never disagree.
//
// Wire form, version 2: "IHA2", EntryState as it stands in memory, since no other machine reads it, then the headers in
// the wire form of a header map. A value of any other form counts as an empty entry and is written over.

#include <cstdint>
#include <string_view>

#include "sdk/bytes.h"
#include "sdk/text.h"

namespace inlay::header_augmenting {

// EntryState: the fixed part. Times are milliseconds by sdk::steady_ms(), which is one clock for the process.
struct EntryState {
  enum Flag : uint32_t {
    kIsJwt = 1,      // the answer is one, and expires_at_ms its end
    kPermanent = 2,  // the last failure is of the kind that asking again soon does not mend
  };

  uint32_t failures = 0;  // failed fetches of one kind since the last good one
  uint32_t flags = 0;
  uint64_t version = 0;         // how often headers have been published; 0: never
  uint64_t fetched_at_ms = 0;   // of the headers
  uint64_t expires_at_ms = 0;   // of the headers
  uint64_t due_at_ms = 0;       // when somebody should fetch
  uint64_t wanted_at_ms = 0;    // after a failure: when already, if requests are turned away
  uint64_t lease = 0;           // the number of the last lease; each is given once
  uint64_t lease_until_ms = 0;  // 0: nobody holds it
  uint64_t inputs = 0;          // digest of the other sources' values that the last failed fetch was made of
  uint64_t complaint = 0;       // digest of what the log said since the last good fetch of why there is none
};

class SharedEntry {
 public:
  SharedEntry() = default;
  explicit SharedEntry(std::string_view key) { open(key); }

  // open: which entry this is; once, before all else.
  void open(std::string_view key) { key_.add(key); }

  // load: reads the entry as it is now, creating it if it is absent. On a host without shared data the entry is this
  // worker's own.
  void load();

  const EntryState& state() const { return state_; }
  // pairs: the headers of the entry that load or store saw last; valid until the next of them.
  std::string_view pairs() const { return pairs_; }
  // shared: false if the host has no shared data for us.
  bool shared() const { return shared_; }

  // store: puts `state` and `pairs` in the place of what was loaded. False if another worker has changed it since;
  // load again then. `pairs` may be pairs().
  bool store(const EntryState& state, std::string_view pairs);

 private:
  void decode(sdk::Bytes value);

  sdk::Line key_;
  sdk::Bytes value_;
  std::string_view pairs_;  // into value_
  EntryState state_;
  uint32_t cas_ = 0;
  bool shared_ = true;
};

}  // namespace inlay::header_augmenting
