// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/token_slots.h"

#include <cstring>
#include <type_traits>
#include <utility>

#include "filters/header_augmenting/digest.h"
#include "sdk/shared_data.h"
#include "sdk/text.h"

namespace inlay::header_augmenting {
namespace {

constexpr std::string_view kMagic = "IHX1";
// How often a change is tried that others disturb, who have then made theirs.
constexpr int kTries = 16;

static_assert(std::is_trivially_copyable_v<Slot>);

// is_live: whether a lease counts. One that reaches further than any can, comes from a clock that was set back.
bool is_live(uint64_t lease_until_ms, uint64_t now_ms) {
  constexpr uint64_t kLongest = 3'600'000;
  return lease_until_ms > now_ms && lease_until_ms <= now_ms + kLongest;
}

bool is_good(const Slot& slot, uint64_t now_ms) {
  return slot.times.made_ns != 0 && now_ms < slot.times.until_ms;
}

sdk::Line& add_key(sdk::Line& line, uint32_t set) {
  line.add("inlay.header_augmenting.x.1.");
  for (int shift = 12; shift >= 0; shift -= 4) line.add("0123456789abcdef"[set >> shift & 15]);
  return line;
}

}  // namespace

TokenSlots::TokenSlots(std::string_view source, uint64_t entries, size_t set_bytes)
    : sets_(sets_for(entries, kSlots)), set_bytes_(set_bytes) {
  Digest digest;
  digest.add(source);
  offset_ = static_cast<uint32_t>(digest.value());
}

// load: the set of `key`; whether it has a slot there, which at_ is then.
bool TokenSlots::load(const TokenKey& key) {
  uint32_t number = 0;
  std::memcpy(&number, key.bytes, sizeof number);
  set_ = (offset_ + (number & (sets_ - 1))) & (kMostSets - 1);
  value_ = {};
  sdk::Line line;
  const std::string_view name = add_key(line, set_).view();
  auto found = sdk::get_shared_data(name);
  if (!found && found.error() == sdk::Status::kNotFound) {
    (void)sdk::create_shared_data(name, kMagic);  // an absent key is not compared
    found = sdk::get_shared_data(name);
  }
  shared_ = found.has_value();
  if (found) {
    cas_ = found->cas;
    value_ = std::move(found->value);
  }
  decode();
  for (at_ = 0; at_ < kSlots; ++at_) {
    const Slot& slot = slots_[at_];
    if (slot.key == key && (slot.times.made_ns | slot.lease_until_ms) != 0) return true;
  }
  return false;
}

void TokenSlots::decode() {
  std::string_view rest = value_.view();
  bool good = rest.starts_with(kMagic);
  if (good) rest.remove_prefix(kMagic.size());
  for (size_t i = 0; i < kSlots; ++i) {
    Slot& slot = slots_[i];
    slot = {};
    waiters_[i] = pairs_[i] = {};
    good = good && rest.size() >= sizeof(Slot);
    if (!good) continue;
    std::memcpy(static_cast<void*>(&slot), rest.data(), sizeof(Slot));
    rest.remove_prefix(sizeof(Slot));
    good = slot.waiters <= rest.size() && slot.size <= rest.size() - slot.waiters && slot.outcome < Outcome::kTooLong;
    if (!good) {
      slot = {};
      continue;
    }
    waiters_[i] = rest.substr(0, slot.waiters);
    pairs_[i] = rest.substr(slot.waiters, slot.size);
    rest.remove_prefix(slot.waiters + slot.size);
  }
}

// store: the set as it has been changed. False if another worker has changed it since it was loaded.
bool TokenSlots::store() {
  size_t size = kMagic.size();
  for (size_t i = 0; i < kSlots; ++i) size += sizeof(Slot) + waiters_[i].size() + pairs_[i].size();
  sdk::Bytes bytes = sdk::Bytes::allocate(size);
  if (bytes.data() == nullptr) return false;
  char* at = bytes.data();
  const auto put = [&at](const void* from, size_t count) {
    if (count != 0) std::memcpy(at, from, count);
    at += count;
  };
  put(kMagic.data(), kMagic.size());
  for (size_t i = 0; i < kSlots; ++i) {
    slots_[i].waiters = static_cast<uint8_t>(waiters_[i].size());
    slots_[i].size = static_cast<uint32_t>(pairs_[i].size());
    put(&slots_[i], sizeof(Slot));
    put(waiters_[i].data(), waiters_[i].size());
    put(pairs_[i].data(), pairs_[i].size());
  }
  sdk::Line line;
  return sdk::set_shared_data(add_key(line, set_).view(), bytes.view(), cas_).has_value();
}

void TokenSlots::clear(size_t index, uint64_t now_ms) {
  if (is_good(slots_[index], now_ms)) ++evicted_;
  slots_[index] = {};
  waiters_[index] = pairs_[index] = {};
}

// take_place: makes a slot of the set that one of `key`. False if each is being asked for.
bool TokenSlots::take_place(const TokenKey& key, uint64_t now_ms) {
  uint64_t least = UINT64_MAX;
  for (size_t i = 0; i < kSlots; ++i) {
    const Slot& slot = slots_[i];
    if (is_live(slot.lease_until_ms, now_ms)) continue;
    uint64_t rank = slot.times.until_ms;
    if (!is_good(slot, now_ms))
      rank = 0;
    else if (slot.outcome != Outcome::kToken)
      rank = 1;
    if (rank >= least) continue;
    least = rank;
    at_ = i;
  }
  if (least == UINT64_MAX) return false;
  clear(at_, now_ms);
  slots_[at_].key = key;
  return true;
}

TokenSlots::Claim TokenSlots::claim(const TokenKey& key, const Wanted& wanted, uint64_t now_ms) {
  for (int i = 0; i < kTries; ++i) {
    const bool there = load(key);
    if (there) {
      const Slot& slot = slots_[at_];
      if (slot.times.made_ns != wanted.known_ns && is_good(slot, now_ms)) return Claim::kFound;
      if (slot.lease_until_ms != wanted.lease && is_live(slot.lease_until_ms, now_ms)) {
        const std::string_view waiters = waiters_[at_];
        const char waiter = static_cast<char>(wanted.waiter);
        if (waiter == 0 || waiters.size() == UINT8_MAX || waiters.find(waiter) != std::string_view::npos)
          return Claim::kTheirs;
        told_ = sdk::Bytes::allocate(waiters.size() + 1);
        if (told_.data() == nullptr) return Claim::kTheirs;
        waiters.copy(told_.data(), waiters.size());
        told_.data()[waiters.size()] = waiter;
        waiters_[at_] = told_.view();
        if (store()) return Claim::kTheirs;
        continue;
      }
    }
    if (!wanted.may_ask || (!there && !take_place(key, now_ms))) return Claim::kNone;
    Slot& slot = slots_[at_];
    if (!is_good(slot, now_ms)) {
      slot.times = {};
      pairs_[at_] = {};
    }
    slot.lease_until_ms = lease_ = now_ms + wanted.lease_ms;
    // Who waits for one that has gone, looks by itself.
    if (!shared_ || store()) return Claim::kMine;
  }
  return Claim::kNone;
}

std::string_view TokenSlots::publish(const TokenKey& key, uint64_t lease, Outcome outcome, const TokenTimes& times,
                                     std::string_view pairs, uint64_t now_ms) {
  for (int i = 0; i < kTries; ++i) {
    const bool there = load(key);
    if (!shared_) return {};
    if (there ? slots_[at_].lease_until_ms != lease && is_live(slots_[at_].lease_until_ms, now_ms)
              : times.made_ns == 0 || !take_place(key, now_ms))
      return {};
    Slot& slot = slots_[at_];
    const bool keeps = times.made_ns == 0 || (outcome >= Outcome::kProviderRefused && is_good(slot, now_ms));
    slot.lease_until_ms = 0;
    if (!keeps) {
      slot.times = times;
      slot.outcome = outcome;
      pairs_[at_] = pairs;
      size_t size = 0;
      for (const std::string_view one : pairs_) size += one.size();
      for (size_t other = 0; other < kSlots && size > set_bytes_; ++other) {
        if (other == at_ || is_live(slots_[other].lease_until_ms, now_ms)) continue;
        size -= pairs_[other].size();
        clear(other, now_ms);
      }
    }
    const std::string_view waiters = std::exchange(waiters_[at_], {});
    told_ = sdk::Bytes::allocate(waiters.size());
    if (told_.data() != nullptr) waiters.copy(told_.data(), waiters.size());
    if (store()) return told_.view();
  }
  return {};
}

void TokenSlots::drop(const TokenKey& key, uint64_t made_ns) {
  for (int i = 0; i < kTries; ++i) {
    if (!load(key) || slots_[at_].times.made_ns != made_ns) return;
    slots_[at_].times = {};
    pairs_[at_] = {};
    if (store()) return;
  }
}

}  // namespace inlay::header_augmenting
