// SPDX-License-Identifier: Apache-2.0
#pragma once

// CallStream: a call-out of a guest whose request and answer are passed on as they come (host::CallStreamRequest).
// HttpCalls owns it, by its id. Loop thread only.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "host/embedder.h"
#include "net/event_loop.h"
#include "upstream/http_call.h"
#include "upstream/request.h"

namespace inlay::upstream {

class CallStream final : public UpstreamHandler {
 public:
  // Bytes that may wait for upstreams that do not take them: of one stream, and of all that one handler has.
  static constexpr size_t kMostWaiting = size_t{16} << 20;
  static constexpr size_t kMostWaitingOfAll = size_t{64} << 20;

  CallStream(HttpCalls& owner, uint64_t id, WorkerCluster& cluster, host::CallStreamRequest request,
             host::CallStreamHandler& handler);

  void start(ConnectionPool& host);
  // host::Upstreams::send_to_call_stream.
  bool send(Buffer& data, bool end_stream);
  // Ends it without a word.
  void cancel();
  const host::CallStreamHandler& handler() const { return handler_; }
  // Bytes of the request that wait here, or a few more; 0 when the upstream takes all.
  size_t waiting();

 private:
  // UpstreamHandler
  http::HeaderMap& response_headers_storage() override { return headers_; }
  http::HeaderMap& response_trailers_storage() override { return trailers_; }
  void on_upstream_headers(bool end_stream) override;
  void on_upstream_data(Buffer& data, bool end_stream) override;
  void on_upstream_trailers() override;
  void on_upstream_reset(ResetReason reason, std::string_view detail) override;
  void on_upstream_above_watermark() override { above_ = true; }
  void on_upstream_below_watermark() override { above_ = false; }

  void on_timeout();
  // The last words, which never come from inside of start() and send(): an answer of the proxy's own, a reset.
  void answer_locally(uint32_t status, std::string_view text, std::string details);
  void end_with_reset(std::string details);
  template <class Tell>
  void end(Tell&& tell);

  HttpCalls& owner_;
  const uint64_t id_;
  WorkerCluster& cluster_;
  host::CallStreamRequest message_;
  host::CallStreamHandler& handler_;
  http::HeaderMap headers_;
  http::HeaderMap trailers_;
  UpstreamRequest request_;
  net::Timer timer_;
  int64_t started_ = 0;
  size_t waiting_ = 0;  // bytes sent since the upstream took all
  bool above_ = false;
  bool request_complete_ = false;
  bool headers_came_ = false;
  bool in_call_ = false;  // of start() or send()
  bool over_ = false;
};

}  // namespace inlay::upstream
