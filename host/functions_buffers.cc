// SPDX-License-Identifier: Apache-2.0
// Buffers: bodies, the bytes of connections, configurations, a call-out's answer.

#include <algorithm>
#include <cstring>
#include <string_view>
#include <variant>
#include <vector>

#include "host/connection_context.h"
#include "host/functions.h"
#include "host/stream_context.h"
#include "host/vm.h"

namespace inlay::host::proxy {
namespace {

using abi::BufferType;
using Phase = RootContext::Phase;

constexpr u32 kBufferTypes = 9;

// What a buffer is read from: nothing, bytes, or a chain of blocks. Only a body, or a connection's data, can be
// written.
struct Source {
  Buffer* body = nullptr;
  const Buffer* blocks = nullptr;
  const std::string* bytes = nullptr;

  bool exists() const { return blocks != nullptr || bytes != nullptr; }
  size_t size() const { return blocks ? blocks->size() : bytes->size(); }
  void copy(size_t start, size_t length, char* to) const {
    if (blocks)
      blocks->copy_out(start, length, to);
    else
      std::memcpy(to, bytes->data() + start, length);
  }
};

// The plugin's configuration can be read while its root context is made and configured, the VM's at any time.
bool is_configured(const RootContext& root) {
  return root.phase == Phase::kCreate || root.phase == Phase::kConfigure;
}

Source find(Vm& vm, BufferType type) {
  Context& context = *vm.current();
  switch (type) {
    case BufferType::kHttpRequestBody:
    case BufferType::kHttpResponseBody: {
      StreamContext* stream = context.stream();
      Buffer* body = stream && stream->http() ? stream->http()->body(type) : nullptr;
      return {body, body, nullptr};
    }
    case BufferType::kDownstreamData:
    case BufferType::kUpstreamData: {
      ConnectionContext* connection = context.connection();
      const Peer from = type == BufferType::kDownstreamData ? Peer::kDownstream : Peer::kUpstream;
      Buffer* data = connection && connection->tcp() ? connection->tcp()->data(from) : nullptr;
      return {data, data, nullptr};
    }
    case BufferType::kHttpCallResponseBody:
      return {nullptr, vm.call_response() ? &vm.call_response()->body : nullptr, nullptr};
    case BufferType::kVmConfiguration:
      return {nullptr, nullptr, &vm.spec().vm_configuration};
    case BufferType::kPluginConfiguration:
      return {nullptr, nullptr,
              is_configured(*context.root) ? &context.root->plugin().config().configuration : nullptr};
    default:
      return {};
  }
}

// A body that gets another length while its content-length stays: the request is answered with 503, the response cut
// off. The guest may make up for it in a later piece, so this is no more than a word about it.
void tell_of_length(Vm& vm, BufferType type) {
  static const std::vector<std::string_view> kLengths[] = {{"request", "headers", "content-length"},
                                                           {"response", "headers", "content-length"}};
  StreamContext* stream = vm.current()->stream();
  if (stream == nullptr || stream->http() == nullptr) return;
  if (vm.current()->root->plugin().has_told(Advice::kBodyLength)) return;
  std::string& length = vm.scratch_text();
  const auto& path = kLengths[type == BufferType::kHttpRequestBody ? 0 : 1];
  if (stream->http()->get_property(path, length) != Status::kOk) return;
  vm.advise(Advice::kBodyLength, [&] {
    return "has changed the length of a body and left content-length: " + length +
           " as it was: unless a later piece makes up for it, a request is answered with 503 and a response is cut "
           "off; "
           "remove content-length when the headers come";
  });
}

}  // namespace

Status proxy_get_buffer_bytes(Vm& vm, u32 type, u32 start, u32 max_size, u32 return_data, u32 return_size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  if (type >= kBufferTypes) return Status::kBadArgument;
  const Source source = find(vm, static_cast<BufferType>(type));
  if (!source.exists()) return Status::kNotFound;
  const size_t length = start < source.size() ? std::min<size_t>(max_size, source.size() - start) : 0;
  return vm.return_filled(length, return_data, return_size, [&](char* to) { source.copy(start, length, to); });
}

Status proxy_get_buffer_status(Vm& vm, u32 type, u32 return_size, u32 return_flags) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  if (type >= kBufferTypes) return Status::kBadArgument;
  const Source source = find(vm, static_cast<BufferType>(type));
  if (!source.exists()) return Status::kNotFound;
  const bool written = vm.write_u32(return_size, static_cast<u32>(source.size())) && vm.write_u32(return_flags, 0);
  return written ? Status::kOk : Status::kInvalidMemoryAccess;
}

Status proxy_set_buffer_bytes(Vm& vm, u32 type, u32 start, u32 size, u32 value, u32 value_size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  if (type >= kBufferTypes) return Status::kBadArgument;
  const auto bytes = vm.read(value, value_size);
  if (!bytes) return Status::kInvalidMemoryAccess;
  const Source source = find(vm, static_cast<BufferType>(type));
  if (!source.exists()) return Status::kNotFound;
  if (source.body == nullptr) return Status::kBadArgument;
  Buffer& body = *source.body;
  const size_t kept = start == 0 ? body.size() - std::min<size_t>(size, body.size()) : body.size();
  if (kept + bytes->size() > std::max(body.size(), limits::kBodyBytes)) return vm.over_limit(GuestLimit::kBody);
  const size_t before = body.size();
  if (start == 0) {
    body.drain(std::min<size_t>(size, body.size()));
    body.prepend(*bytes);
  } else if (start >= body.size()) {
    body.append(*bytes);
  } else {
    return Status::kBadArgument;
  }
  if (body.size() != before) tell_of_length(vm, static_cast<BufferType>(type));
  return Status::kOk;
}

// ABI 0.1.0: the plugin's configuration where it can be read, else the VM's.
Status proxy_get_configuration(Vm& vm, u32 return_data, u32 return_size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  const RootContext& root = *vm.current()->root;
  return vm.return_bytes(is_configured(root) ? root.plugin().config().configuration : vm.spec().vm_configuration,
                         return_data, return_size);
}

}  // namespace inlay::host::proxy
