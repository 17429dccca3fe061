// SPDX-License-Identifier: Apache-2.0
#pragma once

// HttpCalls sends the guests' call-outs (proxy_http_call, and the streams of proxy_grpc_call and proxy_grpc_stream)
// through the worker's clusters. An answer always comes, exactly once, unless the call is cancelled; failures look as
// Envoy's do:
//
//     connection refused, overflow, closed before the head      503, "upstream connect error or disconnect/reset ..."
//     not HTTP                                                   502, the same words
//     time-out before the head                                   504, "upstream request timeout"
//     closed, timed out or too large after the head              reset
//     no such cluster, no host                                   start_http_call's own error
//
// Loop thread only.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "host/embedder.h"
#include "net/event_loop.h"
#include "upstream/cluster_manager.h"

namespace inlay::upstream {

class CallStream;

class HttpCalls final : public host::Upstreams {
 public:
  // Answers larger than this are a reset (Envoy's http.async_response_buffer_limit).
  static constexpr size_t kDefaultMaxResponseBody = 32u << 20;

  HttpCalls(net::EventLoop& loop, ClusterManager& clusters, size_t max_response_body = kDefaultMaxResponseBody);
  ~HttpCalls() override;

  Result<uint64_t> start_http_call(host::HttpCallRequest request, host::HttpCallHandler& handler) override;
  void cancel_http_call(uint64_t call_id) override;

  // Streams: the same failures, and bytes of the answer as they come.
  bool has_cluster(std::string_view name) override { return clusters_.find(name) != nullptr; }
  Result<uint64_t> start_call_stream(host::CallStreamRequest request, host::CallStreamHandler& handler) override;
  bool send_to_call_stream(uint64_t stream_id, Buffer& data, bool end_stream) override;
  void cancel_call_stream(uint64_t stream_id) override;

  size_t active() const { return calls_.size() + streams_.size(); }

 private:
  class Call;
  friend class CallStream;
  struct Route {
    WorkerCluster& cluster;
    ConnectionPool& host;
  };
  Result<Route> choose(const std::string& cluster);
  void finish(uint64_t id, host::HttpCallResponse response);
  // Whether a handler's streams may have so many bytes more that wait for their upstreams.
  bool may_wait(const host::CallStreamHandler& handler, size_t more);
  // What a request's head says of a call-out; arms the timer of its timeout.
  static void prepare(http::HeaderMap& headers, host::Nanoseconds timeout, net::Timer& timer);
  // Counts an answer's head to a request of that time; the milliseconds that it took.
  std::string charge(WorkerCluster& cluster, uint32_t status, int64_t started) const;
  // The stream is over when `tell`, which may look at it, is called.
  void end_stream(uint64_t stream_id, const std::function<void()>& tell);
  // The log has why there is no connection, once a second and cluster: the guest is not told.
  void tell(const WorkerCluster& cluster, std::string_view detail);

  net::EventLoop& loop_;
  ClusterManager& clusters_;
  const size_t max_response_body_;
  uint64_t next_id_ = 1;
  std::unordered_map<uint64_t, std::unique_ptr<Call>> calls_;
  std::unordered_map<uint64_t, std::unique_ptr<CallStream>> streams_;
  std::unordered_map<const host::CallStreamHandler*, size_t> waiting_;  // may_wait()
  std::unordered_map<const WorkerCluster*, int64_t> tell_again_;        // when, on the loop's clock
  std::shared_ptr<bool> alive_;
};

}  // namespace inlay::upstream
