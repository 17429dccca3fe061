// SPDX-License-Identifier: Apache-2.0
#pragma once

// Buffers: bodies, TCP data, configuration. A Buffer names one buffer of the host, and costs nothing. A stream's are
// members of HttpContext and TcpContext, the body of a call's answer is HttpReply::body().
//
//     if (const auto size = request_body().size(); size && *size > 4096) log_warn("a body of ", *size, " bytes");
//     if (auto body = request_body().read(0, 4096)) log_info("the body begins with ", body->view());
//     (void)request_body().replace("{}");
//
// A body callback sees the piece that has come, and with kStopIterationAndBuffer all that is held back so far.

#include <cstdint>
#include <string_view>

#include "sdk/bytes.h"
#include "sdk/host_functions.h"

namespace inlay::sdk {

using abi::BufferType;

// Buffer reads and edits the host's buffer at once; each member is one call into the host. Sizes and places are bytes.
class Buffer {
 public:
  constexpr explicit Buffer(BufferType type) : type_(type) {}

  // read: a copy of at most `max_size` bytes from `start`; fewer, or none, where the buffer ends. A stream's buffer
  // that is not there is empty; of a call's answer and the plugin's configuration it is kNotFound. A large body costs a
  // guest as much memory: read pieces.
  Result<Bytes> read(size_t start = 0, size_t max_size = UINT32_MAX) const {
    char* data = nullptr;
    size_t size = 0;
    const Status status = proxy_get_buffer_bytes(type_, start, max_size, &data, &size);
    if (status != Status::kOk) return status;
    return Bytes(data, size);
  }

  // size: of what there is now; the same errors.
  Result<size_t> size() const {
    size_t size = 0;
    uint32_t flags = 0;
    const Status status = proxy_get_buffer_status(type_, &size, &flags);
    if (status != Status::kOk) return status;
    return size;
  }

  // replace, prepend, append: put `value` in the place of the whole buffer, before it or after it. A content-length
  // header is the filter's to remove, before the headers go on. Errors: splice's.
  Result<> replace(std::string_view value) const { return splice(0, UINT32_MAX, value); }
  Result<> prepend(std::string_view value) const { return splice(0, 0, value); }
  Result<> append(std::string_view value) const { return splice(UINT32_MAX, 0, value); }

  // splice: puts `value` in the place of `size` bytes at `start`. Hosts can do it at the beginning (`start` 0) and at
  // or beyond the end; in the middle it is kBadArgument, as where the buffer cannot be changed now. kInternalFailure:
  // larger than the host allows (in Inlay 16 MiB).
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
