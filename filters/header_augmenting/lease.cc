// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/lease.h"

#include <utility>

namespace inlay::header_augmenting {

// How often a write is tried that others disturb. None of them writes but a worker that has taken the lease over.
constexpr int kTries = 4;

Lease::~Lease() {
  if (entry_ != nullptr) finish([](EntryState&, const EntryState&) {}, {}, nullptr);
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
  return finish(
      [](EntryState& state, const EntryState& v) {
        state.failures = 0;
        state.flags = v.flags;
        ++state.version;
        state.fetched_at_ms = v.fetched_at_ms;
        state.expires_at_ms = v.expires_at_ms;
        state.due_at_ms = v.due_at_ms;
        state.inputs = 0;
        state.complaint = 0;
      },
      values, &pairs);
}

bool Lease::fail(const EntryState& values) {
  return finish(
      [](EntryState& state, const EntryState& v) {
        if (((state.flags ^ v.flags) & EntryState::kPermanent) != 0) {
          state.flags ^= EntryState::kPermanent;
          state.failures = 0;
        }
        if (state.failures != UINT32_MAX) ++state.failures;
        state.due_at_ms = v.due_at_ms;
        state.wanted_at_ms = v.wanted_at_ms;
        state.inputs = v.inputs;
        state.complaint = v.complaint;
      },
      values, nullptr);
}

// finish: changes the entry as long as this lease is the last that was given, and ends it.
bool Lease::finish(void (*change)(EntryState&, const EntryState&), const EntryState& values,
                   const std::string_view* pairs) {
  SharedEntry* const entry = std::exchange(entry_, nullptr);
  if (entry == nullptr) return false;
  for (int i = 0; i < kTries; ++i) {
    entry->load();
    EntryState state = entry->state();
    if (state.lease != number_) return false;
    change(state, values);
    state.lease_until_ms = 0;
    if (entry->store(state, pairs != nullptr ? *pairs : entry->pairs())) return true;
  }
  return false;
}

}  // namespace inlay::header_augmenting
