// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/shared_entry.h"

#include <cstring>

#include "sdk/shared_data.h"

namespace inlay::header_augmenting {
namespace {

constexpr std::string_view kMagic = "IHA2";
constexpr size_t kHeaderSize = 4 + 2 * 4 + 9 * 8;

void put(char*& at, uint64_t number, size_t size) {
  for (size_t i = 0; i < size; ++i, number >>= 8) *at++ = static_cast<char>(number & 0xff);
}

uint64_t get(const char*& at, size_t size) {
  uint64_t number = 0;
  for (size_t i = 0; i < size; ++i) number |= static_cast<uint64_t>(static_cast<unsigned char>(*at++)) << (8 * i);
  return number;
}

sdk::Bytes encode(const EntryState& state, std::string_view pairs) {
  sdk::Bytes bytes = sdk::Bytes::allocate(kHeaderSize + pairs.size());
  if (bytes.data() == nullptr) return bytes;
  char* at = bytes.data();
  std::memcpy(at, kMagic.data(), kMagic.size());
  at += kMagic.size();
  put(at, state.failures, 4);
  put(at, state.flags, 4);
  for (const uint64_t number : {state.version, state.fetched_at_ms, state.expires_at_ms, state.due_at_ms,
                                state.wanted_at_ms, state.lease, state.lease_until_ms, state.inputs, state.complaint}) {
    put(at, number, 8);
  }
  if (!pairs.empty()) std::memcpy(at, pairs.data(), pairs.size());
  return bytes;
}

}  // namespace

void SharedEntry::decode(sdk::Bytes value) {
  value_ = std::move(value);
  state_ = {};
  pairs_ = {};
  if (value_.size() < kHeaderSize || value_.view().substr(0, kMagic.size()) != kMagic) return;
  const char* at = value_.data() + kMagic.size();
  state_.failures = static_cast<uint32_t>(get(at, 4));
  state_.flags = static_cast<uint32_t>(get(at, 4));
  for (uint64_t* const number :
       {&state_.version, &state_.fetched_at_ms, &state_.expires_at_ms, &state_.due_at_ms, &state_.wanted_at_ms,
        &state_.lease, &state_.lease_until_ms, &state_.inputs, &state_.complaint}) {
    *number = get(at, 8);
  }
  pairs_ = value_.view().substr(kHeaderSize);
}

void SharedEntry::load() {
  if (!shared_) return;
  auto found = sdk::get_shared_data(key_.view());
  if (!found && found.error() == sdk::Status::kNotFound) {
    const sdk::Bytes empty = encode({}, {});
    (void)sdk::create_shared_data(key_.view(), empty.view());
    found = sdk::get_shared_data(key_.view());
  }
  if (!found) {
    shared_ = false;
    return;
  }
  // A version that is never 0 in the field; should a host give it, the write would be unconditional.
  cas_ = found->cas;
  decode(std::move(found->value));
}

bool SharedEntry::store(const EntryState& state, std::string_view pairs) {
  sdk::Bytes bytes = encode(state, pairs);
  if (bytes.data() == nullptr) return false;
  if (shared_ && !sdk::set_shared_data(key_.view(), bytes.view(), cas_)) return false;
  cas_ = 0;  // load() gives the next one
  decode(std::move(bytes));
  return true;
}

}  // namespace inlay::header_augmenting
