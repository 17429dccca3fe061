// SPDX-License-Identifier: Apache-2.0
#pragma once

// Buffers: bodies, TCP data, configuration. A Buffer names one buffer of the host, and costs nothing. A stream's are
// members of HttpContext and TcpContext, the body of a call's answer is HttpReply::body().
//
//     if (auto body = request_body().read(0, 4096)) log_info("the body begins with ", body->view());

#include <cstdint>
#include <string_view>

#include "sdk/bytes.h"
#include "sdk/host_functions.h"

namespace inlay::sdk {

using abi::BufferType;

class Buffer {
 public:
  constexpr explicit Buffer(BufferType type) : type_(type) {}

  // read: a copy of at most `max_size` bytes from `start`; fewer, or none, where the buffer ends.
  Result<Bytes> read(size_t start = 0, size_t max_size = UINT32_MAX) const {
    char* data = nullptr;
    size_t size = 0;
    const Status status = proxy_get_buffer_bytes(type_, start, max_size, &data, &size);
    if (status != Status::kOk) return status;
    return Bytes(data, size);
  }

  Result<size_t> size() const {
    size_t size = 0;
    uint32_t flags = 0;
    const Status status = proxy_get_buffer_status(type_, &size, &flags);
    if (status != Status::kOk) return status;
    return size;
  }

  // replace: puts `value` in the place of the whole buffer.
  Result<> replace(std::string_view value) const { return splice(0, UINT32_MAX, value); }
  Result<> prepend(std::string_view value) const { return splice(0, 0, value); }
  Result<> append(std::string_view value) const { return splice(UINT32_MAX, 0, value); }

  // splice: puts `value` in the place of `size` bytes at `start`, as far as the host can.
  Result<> splice(size_t start, size_t size, std::string_view value) const {
    return to_result(proxy_set_buffer_bytes(type_, start, size, value.data(), value.size()));
  }

 private:
  BufferType type_;
};

// vm_configuration, plugin_configuration: what the bootstrap gives, while on_vm_start, or on_configure, runs.
constexpr Buffer vm_configuration() {
  return Buffer(BufferType::kVmConfiguration);
}
constexpr Buffer plugin_configuration() {
  return Buffer(BufferType::kPluginConfiguration);
}

}  // namespace inlay::sdk
