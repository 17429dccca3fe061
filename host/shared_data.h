// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shared data: the key-value store that all VMs of one vm_id share, whatever their worker or code. Thread-safe.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "abi/types.h"

namespace inlay::host {

struct TransparentHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class T>
using StringMap = std::unordered_map<std::string, T, TransparentHash, std::equal_to<>>;

struct SharedValue {
  std::shared_ptr<const std::string> bytes;
  uint32_t cas = 0;  // never 0 for a value that exists
};

class SharedData {
 public:
  // kNotFound when absent.
  abi::Status get(std::string_view key, SharedValue& value) const;
  // `cas` 0 sets unconditionally; another must be the value's present one, else kCasMismatch. A key that does not
  // exist yet is set whatever `cas` says. kInternalFailure: the store is full (limits::kSharedDataBytes).
  abi::Status set(std::string_view key, std::string_view value, uint32_t cas);
  // Grows with every set().
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

 private:
  mutable std::mutex mutex_;
  StringMap<SharedValue> values_;
  size_t bytes_ = 0;
  uint32_t last_cas_ = 0;
  std::atomic<uint64_t> version_{0};
};

// SharedDataReader is one VM's view of the store: reads take no lock while nobody writes. Not thread-safe.
class SharedDataReader {
 public:
  explicit SharedDataReader(std::shared_ptr<SharedData> data) : data_(std::move(data)) {}
  // The value, or nullptr; valid until the next call.
  const SharedValue* get(std::string_view key);
  SharedData& data() { return *data_; }

 private:
  static constexpr size_t kMaxCached = 256;
  std::shared_ptr<SharedData> data_;
  uint64_t version_ = 0;
  StringMap<SharedValue> cache_;
  SharedValue uncached_;
};

}  // namespace inlay::host
