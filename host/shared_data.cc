// SPDX-License-Identifier: Apache-2.0
#include "host/shared_data.h"

#include "host/guest_limits.h"

namespace inlay::host {

abi::Status SharedData::get(std::string_view key, SharedValue& value) const {
  const std::lock_guard lock(mutex_);
  auto found = values_.find(key);
  if (found == values_.end()) return abi::Status::kNotFound;
  value = found->second;
  return abi::Status::kOk;
}

abi::Status SharedData::set(std::string_view key, std::string_view value, uint32_t cas) {
  auto bytes = std::make_shared<const std::string>(value);
  const std::lock_guard lock(mutex_);
  auto found = values_.find(key);
  const bool exists = found != values_.end();
  if (exists && cas != 0 && cas != found->second.cas) return abi::Status::kCasMismatch;
  const size_t fixed = key.size() + limits::kEntryCost;
  const size_t without = bytes_ - (exists ? fixed + found->second.bytes->size() : 0);
  if (without + fixed + value.size() > limits::kSharedDataBytes) return abi::Status::kInternalFailure;
  if (!exists) found = values_.emplace(key, SharedValue()).first;
  bytes_ = without + fixed + value.size();
  if (++last_cas_ == 0) last_cas_ = 1;
  found->second = {std::move(bytes), last_cas_};
  version_.fetch_add(1, std::memory_order_release);
  return abi::Status::kOk;
}

const SharedValue* SharedDataReader::get(std::string_view key) {
  if (const uint64_t now = data_->version(); now != version_) {
    cache_.clear();
    version_ = now;
  }
  if (auto found = cache_.find(key); found != cache_.end()) return &found->second;
  if (data_->get(key, uncached_) != abi::Status::kOk) return nullptr;
  if (cache_.size() >= kMaxCached) return &uncached_;
  return &cache_.emplace(key, uncached_).first->second;
}

}  // namespace inlay::host
