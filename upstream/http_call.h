// SPDX-License-Identifier: Apache-2.0
#pragma once

// HttpCalls sends the guests' call-outs (proxy_http_call) through the worker's clusters. An answer always comes,
// exactly once, unless the call is cancelled; failures look as Envoy's do:
//
//     connection refused, overflow, closed before the head      503, "upstream connect error or disconnect/reset ..."
//     not HTTP                                                   502, the same words
//     time-out before the head                                   504, "upstream request timeout"
//     closed, timed out or too large after the head              reset
//     no such cluster, no host                                   start_http_call's own error
//
// Loop thread only.

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "host/embedder.h"
#include "net/event_loop.h"
#include "upstream/cluster_manager.h"

namespace inlay::upstream {

class HttpCalls final : public host::Upstreams {
 public:
  // Answers larger than this are a reset (Envoy's http.async_response_buffer_limit).
  static constexpr size_t kDefaultMaxResponseBody = 32u << 20;

  HttpCalls(net::EventLoop& loop, ClusterManager& clusters, size_t max_response_body = kDefaultMaxResponseBody);
  ~HttpCalls() override;

  Result<uint64_t> start_http_call(host::HttpCallRequest request, host::HttpCallHandler& handler) override;
  void cancel_http_call(uint64_t call_id) override;
  size_t active() const { return calls_.size(); }

 private:
  class Call;
  void finish(uint64_t id, host::HttpCallResponse response);
  // The log has why there is no connection, once a second and cluster: the guest is not told.
  void tell(const WorkerCluster& cluster, std::string_view detail);

  net::EventLoop& loop_;
  ClusterManager& clusters_;
  const size_t max_response_body_;
  uint64_t next_id_ = 1;
  std::unordered_map<uint64_t, std::unique_ptr<Call>> calls_;
  std::unordered_map<const WorkerCluster*, int64_t> tell_again_;  // when, on the loop's clock
  std::shared_ptr<bool> alive_;
};

}  // namespace inlay::upstream
