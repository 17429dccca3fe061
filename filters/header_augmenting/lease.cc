// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/lease.h"

#include <utility>

namespace inlay::header_augmenting {

// How often a write is tried that others disturb. None of them writes but a worker that has taken the lease over.
constexpr int kTries = 4;

Lease::~Lease() {
  if (entry_ != nullptr) finish(End::kGivenBack, {}, {});
}

bool Lease::is_free(const SharedEntry& entry, uint64_t now_ms, uint64_t length_ms) {
  const uint64_t until = entry.state().lease_until_ms;
  return until <= now_ms || until > now_ms + length_ms;
}

Lease Lease::take(SharedEntry& entry, uint64_t now_ms, uint64_t length_ms) {
  EntryState state = entry.state();
  const uint64_t number = ++state.lease;
  state.lease_until_ms = now_ms + length_ms;
  if (!entry.store(state, entry.pairs())) return Lease();
  return Lease(entry, number);
}

bool Lease::publish(std::string_view pairs, const EntryState& values) {
  return finish(End::kPublished, values, pairs);
}

bool Lease::fail(const EntryState& values) {
  return finish(End::kFailed, values, {});
}

// finish: changes the entry as long as this lease is the last that was given, and ends it.
bool Lease::finish(End end, const EntryState& values, std::string_view pairs) {
  SharedEntry* const entry = std::exchange(entry_, nullptr);
  if (entry == nullptr) return false;
  for (int i = 0; i < kTries; ++i) {
    entry->load();
    EntryState state = entry->state();
    if (state.lease != number_) return false;
    state.lease_until_ms = 0;
    if (end != End::kGivenBack) {
      const bool published = end == End::kPublished;
      if (published || ((state.flags ^ values.flags) & EntryState::kPermanent) != 0) state.failures = 0;
      state.due_at_ms = values.due_at_ms;
      state.inputs = values.inputs;
      state.complaint = values.complaint;
      if (published) {
        state.flags = values.flags;
        ++state.version;
        state.fetched_at_ms = values.fetched_at_ms;
        state.expires_at_ms = values.expires_at_ms;
      } else {
        state.flags = (state.flags & ~EntryState::kPermanent) | (values.flags & EntryState::kPermanent);
        if (state.failures != UINT32_MAX) ++state.failures;
        state.wanted_at_ms = values.wanted_at_ms;
      }
    }
    if (entry->store(state, end == End::kPublished ? pairs : entry->pairs())) return true;
  }
  return false;
}

}  // namespace inlay::header_augmenting
