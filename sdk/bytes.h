// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bytes: a block of memory that the host has allocated in the guest, owned and freed by this handle. Move-only.
//
//     sdk::Result<sdk::Bytes> value = sdk::request_headers().get("accept");
//     if (value) sdk::log_info("accept: ", value->view());  // the view lives as long as *value

#include <cstdlib>
#include <string_view>
#include <utility>

#include "abi/types.h"
#include "base/result.h"

namespace inlay::sdk {

using abi::Status;

// Result: a value, or the status that the host gave.
template <class T = Unit>
using Result = ::inlay::Result<T, Status>;

// to_result: what a host function without a result returned.
inline Result<> to_result(Status status) {
  if (status == Status::kOk) return {};
  return status;
}

class Bytes {
 public:
  Bytes() = default;
  // Takes ownership of `data`, which malloc (or proxy_on_memory_allocate) gave.
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
