// SPDX-License-Identifier: Apache-2.0
// Buffers: bodies, the bytes of connections, configurations, a call-out's answer.

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "host/functions.h"
#include "host/http_context_impl.h"
#include "host/tcp_context_impl.h"
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

  size_t size() const { return blocks ? blocks->size() : bytes ? bytes->size() : 0; }
  void copy(size_t start, size_t length, char* to) const {
    if (blocks)
      blocks->copy_out(start, length, to);
    else if (bytes)
      std::memcpy(to, bytes->data() + start, length);
  }
};

// The plugin's configuration can be read while its root context is made and configured, the VM's at any time.
bool is_configured(const RootContext& root) {
  return root.phase == Phase::kCreate || root.phase == Phase::kConfigure;
}

// As Envoy: bodies, the bytes of connections and those of gRPC are empty where there are none; the answer to a call and
// the plugin's configuration are not there.
std::optional<Source> find_one(Vm& vm, Context& context, BufferType type) {
  switch (type) {
    case BufferType::kHttpRequestBody:
    case BufferType::kHttpResponseBody: {
      HttpContextImpl* stream = context.stream();
      Buffer* body = stream && stream->http() ? stream->http()->body(type) : nullptr;
      return Source{body, body, nullptr};
    }
    case BufferType::kDownstreamData:
    case BufferType::kUpstreamData: {
      TcpContextImpl* connection = context.connection();
      const Peer from = type == BufferType::kDownstreamData ? Peer::kDownstream : Peer::kUpstream;
      Buffer* data = connection && connection->tcp() ? connection->tcp()->data(from) : nullptr;
      return Source{data, data, nullptr};
    }
    case BufferType::kHttpCallResponseBody:
      if (vm.call_response() == nullptr || vm.call_response()->reset) return std::nullopt;
      return Source{nullptr, &vm.call_response()->body, nullptr};
    case BufferType::kVmConfiguration:
      return Source{nullptr, nullptr, &vm.spec().vm_configuration};
    case BufferType::kPluginConfiguration:
      if (!is_configured(*context.root)) return std::nullopt;
      return Source{nullptr, nullptr, &context.root->plugin().config().configuration};
    case BufferType::kGrpcCallMessage:
      return Source{vm.grpc_event().message, vm.grpc_event().message, nullptr};
    case BufferType::kForeignFunctionArguments:
      break;
  }
  return Source();
}

// The arguments of a foreign function, which no callback has here, are in Envoy what the context has looked at last.
std::optional<Source> find(Vm& vm, BufferType type) {
  Context& context = *vm.current();
  if (type == BufferType::kForeignFunctionArguments)
    return find_one(vm, context, context.buffer_seen).value_or(Source());
  const std::optional<Source> found = find_one(vm, context, type);
  if (found) context.buffer_seen = type;
  return found;
}

// A body that gets another length while its content-length stays: the request is answered with 503, the response cut
// off. The guest may make up for it in a later piece, so this is no more than a word about it. With --envoy-strict it
// is sent as it is, and said nothing of.
void tell_of_length(Vm& vm, BufferType type) {
  HttpContextImpl* stream = vm.current()->stream();
  if (stream == nullptr || stream->http() == nullptr) return;
  if (vm.host().options.envoy_strict || vm.current()->root->plugin().has_told(Advice::kBodyLength)) return;
  const bool request = type == BufferType::kHttpRequestBody;
  const auto length = stream->http()->content_length(request ? Direction::kRequest : Direction::kResponse);
  if (!length) return;
  vm.advise(Advice::kBodyLength, [&] {
    return "has changed the length of a body and left content-length: " + *length +
           " as it was: unless a later piece makes up for it, a request is answered with 503 and a response is "
           "cut off; remove content-length when the headers come";
  });
}

}  // namespace

Status proxy_get_buffer_bytes(Vm& vm, u32 type, u32 start, u32 max_size, u32 return_data, u32 return_size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  if (type >= kBufferTypes) return Status::kBadArgument;
  const std::optional<Source> found = find(vm, static_cast<BufferType>(type));
  if (!found) return Status::kNotFound;
  const Source& source = *found;
  const size_t length = start < source.size() ? std::min<size_t>(max_size, source.size() - start) : 0;
  return vm.return_filled(length, return_data, return_size, [&](char* to) { source.copy(start, length, to); });
}

Status proxy_get_buffer_status(Vm& vm, u32 type, u32 return_size, u32 return_flags) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  if (type >= kBufferTypes) return Status::kBadArgument;
  const std::optional<Source> found = find(vm, static_cast<BufferType>(type));
  if (!found) return Status::kNotFound;
  const Source& source = *found;
  const bool written = vm.write_u32(return_size, static_cast<u32>(source.size())) && vm.write_u32(return_flags, 0);
  return written ? Status::kOk : Status::kInvalidMemoryAccess;
}

Status proxy_set_buffer_bytes(Vm& vm, u32 type, u32 start, u32 size, u32 value, u32 value_size) {
  if (vm.current() == nullptr) return Status::kInternalFailure;
  if (type >= kBufferTypes) return Status::kBadArgument;
  const auto bytes = vm.read(value, value_size);
  if (!bytes) return Status::kInvalidMemoryAccess;
  const std::optional<Source> found = find(vm, static_cast<BufferType>(type));
  if (!found) return Status::kNotFound;
  const Source& source = *found;
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
