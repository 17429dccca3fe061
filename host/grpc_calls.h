// SPDX-License-Identifier: Apache-2.0
#pragma once

// GrpcCalls holds the gRPC calls and streams of one VM (proxy_grpc_call, proxy_grpc_stream): it makes HTTP requests of
// them, messages and statuses of what comes back, and callbacks of those. They belong to root contexts, outlive the
// streams that made them, and are cancelled with the VM. What a guest sees is what Envoy 1.40 shows:
//
//     a call      proxy_on_grpc_receive with the message, if the status is 0; else proxy_on_grpc_close, and no other
//     a stream    proxy_on_grpc_receive_initial_metadata, proxy_on_grpc_receive for each message,
//                 proxy_on_grpc_receive_trailing_metadata and proxy_on_grpc_close, once each. Where there is no such
//                 metadata, it is empty.
//
// A token is below 2^32: 5, 9, ... for calls, 6, 10, ... for streams, each number once a VM.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "abi/types.h"
#include "base/buffer.h"
#include "base/result.h"
#include "host/embedder.h"
#include "host/grpc_target.h"
#include "host/pairs.h"
#include "http/grpc_frames.h"
#include "http/header_map.h"

namespace inlay::host {

class Vm;

// GrpcEvent is what a gRPC callback shows, while it runs; the rest of it is empty.
struct GrpcEvent {
  const http::HeaderMap* initial_metadata = nullptr;
  const http::HeaderMap* trailing_metadata = nullptr;
  Buffer* message = nullptr;
  uint32_t status = 0;      // of proxy_on_grpc_close
  std::string_view text{};  // the same: what proxy_get_status says
};

class GrpcCalls final : public CallStreamHandler {
 public:
  // `upstreams` is nullptr for the canary: its calls are taken and never sent.
  GrpcCalls(Vm& vm, Upstreams* upstreams);
  ~GrpcCalls() override;

  // Whether the embedder has it; for the canary any.
  bool has_cluster(std::string_view name) const { return upstreams_ == nullptr || upstreams_->has_cluster(name); }

  struct Method {
    std::string_view service;
    std::string_view name;
    const Pairs& metadata;
  };
  // A call with its only message, or a stream. `timeout` goes into grpc-timeout, too; 0 is none, but says so there, as
  // in Envoy. Success is the token. Errors: kNotFound, no such cluster; kResourceExhausted (guest_limits.h); else it
  // cannot be sent. Where `target` is a GrpcService's, what is not to be sent ends with proxy_on_grpc_close for a token
  // that the guest does not have, after the callback that asked for it (Envoy).
  Result<uint32_t> call(uint32_t root_id, const GrpcTarget& target, const Method& method, std::string_view message,
                        std::chrono::milliseconds timeout);
  Result<uint32_t> stream(uint32_t root_id, const GrpcTarget& target, const Method& method);

  // kBadArgument: the token is of no stream (call or stream); kNotFound: this root context has none of that number;
  // kInternalFailure: the message is too large, or too much waits already.
  abi::Status send(uint32_t root_id, uint32_t token, std::string_view message, bool end);
  abi::Status close(uint32_t root_id, uint32_t token);   // ends what is sent; a call is cancelled
  abi::Status cancel(uint32_t root_id, uint32_t token);  // nothing comes of it any more
  void cancel_all();

  void on_call_stream_headers(uint64_t stream_id, http::HeaderMap& headers, bool end_stream,
                              std::string_view details) override;
  void on_call_stream_data(uint64_t stream_id, Buffer& data, bool end_stream) override;
  void on_call_stream_trailers(uint64_t stream_id, http::HeaderMap& trailers) override;
  void on_call_stream_reset(uint64_t stream_id, std::string_view details) override;

 private:
  struct Call;
  using Calls = std::map<uint32_t, std::unique_ptr<Call>>;

  struct Begun {
    uint64_t stream_id = 0;  // the embedder's
    size_t bytes = 0;        // of bytes_
  };
  // `message`: the bytes that are sent at once.
  Result<Begun> begin(const GrpcTarget& target, const Method& method, size_t message,
                      std::optional<std::chrono::milliseconds> timeout);
  Result<uint32_t> add(uint32_t token, uint32_t root_id, const GrpcTarget& target, Result<Begun> begun);
  void close_later(uint32_t root_id, uint32_t token, std::string text);
  Call* find(uint64_t stream_id);
  Call* find(uint32_t root_id, uint32_t token);
  void remove(Call& call);
  void remember_ended(const Call& call);
  bool forget_ended(uint32_t root_id, uint32_t token);

  // Each calls the guest, which may cancel the call; false: it has, or its VM is dead.
  bool show_initial(Call& call, const http::HeaderMap& metadata);
  bool show_trailing(Call& call, const http::HeaderMap& metadata);
  bool show_message(Call& call, Buffer& message);
  bool is_there(uint32_t token) const { return calls_.contains(token); }
  // The status is known; the last of a call.
  void finish(Call& call, uint32_t status, std::string text);
  void finish_with(Call& call, const http::HeaderMap& trailers);
  // There is no status from the server: `status` stands for what went wrong.
  void fail(Call& call, uint32_t status);

  Vm& vm_;
  Upstreams* upstreams_;
  Calls calls_;
  std::unordered_map<uint64_t, uint32_t> tokens_;  // of the embedder's streams
  size_t bytes_ = 0;                               // limits::kGrpcBytes
  std::set<std::pair<uint32_t, uint32_t>> ended_;  // token and root id: streams that the guest has not closed
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  uint32_t last_call_ = 1;
  uint32_t last_stream_ = 2;
};

}  // namespace inlay::host
