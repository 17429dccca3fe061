// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bytes: a block of memory that the host has allocated in the guest, owned and freed by this handle. Result: what every
// call into the host gives.
//
//     const Result<Bytes> region = get_property("plugin_name");
//     if (region) {
//       log_info("running as ", region->view());  // the view is valid as long as *region
//     } else if (region.error() != Status::kNotFound) {
//       log_error("the host does not say the plugin's name: ", region.error());
//     }

#include <cstdlib>
#include <string_view>
#include <utility>

#include "abi/types.h"
#include "base/result.h"

namespace inlay::sdk {

using abi::Status;

// Result: a value, or the status that the host gave, which is not kOk. It converts to bool; reading the one that it
// does not hold is undefined. One that is not looked at is a compiler's warning: where the failure does not matter, say
// (void).
template <class T = Unit>
using Result = ::inlay::Result<T, Status>;

// to_result: what a host function without a result returned.
inline Result<> to_result(Status status) {
  if (status == Status::kOk) return {};
  return status;
}

// Bytes owns its block, and frees it at its end. It can be moved, not copied; one that was moved from by construction
// is empty.
class Bytes {
 public:
  // Empty: no block, data() is null.
  Bytes() = default;
  // Takes ownership of `data`, which malloc or the host (by proxy_on_memory_allocate) has allocated; null is allowed.
  Bytes(char* data, size_t size) : data_(data), size_(size) {}
  Bytes(Bytes&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Bytes& operator=(Bytes&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Bytes() {
    if (data_ != nullptr) std::free(data_);  // Most are empty when they end: moved from, or never filled.
  }

  // allocate: `size` bytes, uninitialised. data() is null if there is no memory left.
  static Bytes allocate(size_t size) {
    char* data = static_cast<char*>(std::malloc(size == 0 ? 1 : size));
    return Bytes(data, data == nullptr ? 0 : size);
  }

  // The bytes, which may be changed. Valid as long as this object, also when it is moved to another.
  char* data() { return data_; }
  const char* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {data_, size_}; }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace inlay::sdk
