// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/shared_entry.h"

#include <cstring>
#include <type_traits>

#include "sdk/shared_data.h"

namespace inlay::header_augmenting {
namespace {

constexpr std::string_view kMagic = "IHA2";
constexpr size_t kHeaderSize = 4 + sizeof(EntryState);
static_assert(std::is_trivially_copyable_v<EntryState> && sizeof(EntryState) == 2 * 4 + 9 * 8, "it has no padding");

sdk::Bytes encode(const EntryState& state, std::string_view pairs) {
  sdk::Bytes bytes = sdk::Bytes::allocate(kHeaderSize + pairs.size());
  if (bytes.data() == nullptr) return bytes;
  char* const at = bytes.data();
  kMagic.copy(at, kMagic.size());
  std::memcpy(at + kMagic.size(), &state, sizeof state);
  pairs.copy(at + kHeaderSize, pairs.size());
  return bytes;
}

}  // namespace

void SharedEntry::decode(sdk::Bytes value) {
  value_ = std::move(value);
  state_ = {};
  pairs_ = {};
  if (value_.size() < kHeaderSize || value_.view().substr(0, kMagic.size()) != kMagic) return;
  std::memcpy(&state_, value_.data() + kMagic.size(), sizeof state_);
  pairs_ = value_.view().substr(kHeaderSize);
}

void SharedEntry::load() {
  if (!shared_) return;
  for (bool first = true;; first = false) {
    auto found = sdk::get_shared_data(key_.view());
    if (found) {
      // A version that is never 0 in the field; should a host give it, the write would be unconditional.
      cas_ = found->cas;
      return decode(std::move(found->value));
    }
    shared_ = first && found.error() == sdk::Status::kNotFound;
    if (!shared_) return;
    (void)sdk::create_shared_data(key_.view(), encode({}, {}).view());
  }
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
