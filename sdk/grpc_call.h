// SPDX-License-Identifier: Apache-2.0
#pragma once

// gRPC call-outs: what is sent, and what comes back. Context::grpc_call awaits one; messages are bytes, in whatever
// form the service has them:
//
//     class Quota : public RootContext {
//       Task<> ask() {
//         const auto reply = co_await grpc_call(
//             {.target = "quota", .service = "quota.v1.Quota", .method = "Take", .message = "\x08\x01"}, 500ms);
//         if (!reply) co_return log_warn("no answer: ", reply.error());
//         if (!reply->ok()) co_return log_warn("refused with ", reply->status);
//         if (const auto message = reply->message()) log_info(message->size(), " bytes");
//       }
//     };
//
// The host sends it through a cluster of its own configuration, which speaks HTTP/2. Where the service cannot be
// reached or does not answer in time, hosts give kUnavailable (14) themselves.

#include <cstdint>
#include <span>
#include <string_view>

#include "sdk/buffer.h"
#include "sdk/bytes.h"
#include "sdk/clock.h"
#include "sdk/headers.h"
#include "sdk/host_functions.h"
#include "sdk/http_call.h"

namespace inlay::sdk {

// GrpcRequest: views; all that they show must live until the call is sent, which is at once.
struct GrpcRequest {
  std::string_view target;              // a cluster, as the host's configuration names it, or a GrpcService's bytes
  std::string_view service;             // "package.Service"
  std::string_view method;              // "Method"
  std::string_view message = {};        // a call's only one; a stream's are sent by themselves
  std::span<const Pair> metadata = {};  // names in lower case; values of names in "-bin" are the bytes themselves
};

// grpc_status_message: of the call or the stream whose end a task has just been told. Hosts may add where it came from.
inline Result<Bytes> grpc_status_message() {
  uint32_t code = 0;
  char* data = nullptr;
  size_t size = 0;
  const Status status = proxy_get_status(&code, &data, &size);
  if (status != Status::kOk) return status;
  return Bytes(data, size);
}

// GrpcReply can be read until the coroutine that got it is suspended again: the host keeps the answer no longer. What
// the members give are copies, and stay.
struct GrpcReply {
  uint32_t status = 0;      // gRPC's; 0 is OK, and only then there is a message
  size_t message_size = 0;  // bytes; to be looked at before the message is copied
  bool ok() const { return status == 0; }
  Result<Bytes> message(size_t max_size = UINT32_MAX) const {
    return Buffer(BufferType::kGrpcCallMessage).read(0, max_size);
  }
  Result<Bytes> status_message() const { return grpc_status_message(); }
};

namespace detail {

// serialise: pairs in the wire form; data() is null if there is no memory.
inline Bytes serialise(std::span<const Pair> pairs) {
  Bytes bytes = Bytes::allocate(abi::pairs_size(pairs));
  if (bytes.data() != nullptr) abi::write_pairs(pairs, bytes.data());
  return bytes;
}

inline Result<uint32_t> send_grpc_call(const GrpcRequest& request, Duration timeout) {
  const Bytes metadata = serialise(request.metadata);
  if (metadata.data() == nullptr) return Status::kInternalFailure;
  uint32_t token = 0;
  const Status status =
      proxy_grpc_call(request.target.data(), request.target.size(), request.service.data(), request.service.size(),
                      request.method.data(), request.method.size(), metadata.data(), metadata.size(),
                      request.message.data(), request.message.size(), timeout_ms(timeout), &token);
  if (status != Status::kOk) return status;
  return token;
}

inline Result<uint32_t> open_grpc_stream(const GrpcRequest& request) {
  const Bytes metadata = serialise(request.metadata);
  if (metadata.data() == nullptr) return Status::kInternalFailure;
  uint32_t token = 0;
  const Status status =
      proxy_grpc_stream(request.target.data(), request.target.size(), request.service.data(), request.service.size(),
                        request.method.data(), request.method.size(), metadata.data(), metadata.size(), &token);
  if (status != Status::kOk) return status;
  return token;
}

class Scheduler;

// GrpcSink is an open stream, in the list of all.
class GrpcSink {
 public:
  explicit GrpcSink(Scheduler& scheduler) : scheduler_(scheduler) {}
  bool is(const Scheduler& scheduler, uint32_t token) const { return &scheduler_ == &scheduler && token_ == token; }
  virtual void on_message(size_t size) = 0;
  virtual void on_close(uint32_t status) = 0;
  GrpcSink* next = nullptr;

 protected:
  ~GrpcSink() = default;
  Scheduler& scheduler_;
  uint32_t token_ = 0;  // 0: not open
};

// (V is always Vm; so a module that opens no stream has none of it.)
template <class V>
inline constinit GrpcSink* grpc_sinks = nullptr;

}  // namespace detail
}  // namespace inlay::sdk
