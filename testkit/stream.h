// SPDX-License-Identifier: Apache-2.0
#pragma once

// TestStream: a request and its response that a test drives through one plugin, callback by callback, and that records
// what the filter did.
//
//     auto stream = proxy.stream(plugin, {{":method", "GET"}, {":path", "/"}, {":authority", "a"}});
//     EXPECT_EQ(stream->request_headers(), abi::HeadersStatus::kContinue);
//     EXPECT_EQ(stream->request.get("authorization"), "Bearer abc");

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/embedder.h"
#include "host/host.h"
#include "testkit/upstreams.h"
#include "testkit/with_properties.h"
#include "testkit/worker.h"

namespace inlay::testkit {

class TestStream final : public WithProperties<host::HttpStream> {
 public:
  TestStream(host::WorkerPlugin& plugin, const HeaderList& request_headers);
  // Ends the stream (finish()) if the test has not.
  ~TestStream() override;

  // The filter was left out of this stream (FAIL_OPEN).
  bool bypassed() const { return bypassed_; }
  host::HttpContext& context() { return *context_; }

  // Each drives one callback; bodies and trailers are appended to what is there before.
  abi::HeadersStatus request_headers(bool end_of_stream = true);
  abi::DataStatus request_body(std::string_view chunk, bool end_of_stream);
  abi::TrailersStatus request_trailers(const HeaderList& trailers);
  abi::HeadersStatus response_headers(const HeaderList& headers, bool end_of_stream = true);
  abi::DataStatus response_body(std::string_view chunk, bool end_of_stream);
  abi::TrailersStatus response_trailers(const HeaderList& trailers);
  // on_log, then on_done and on_delete. Once.
  void finish();

  // What the filter sees and what it made of it.
  http::HeaderMap request;
  http::HeaderMap response;
  http::HeaderMap request_trailer_map;
  http::HeaderMap response_trailer_map;
  Buffer request_buffer;
  Buffer response_buffer;

  // What the filter did.
  std::optional<host::LocalReply> local_reply;
  size_t local_replies = 0;
  std::vector<host::Direction> continued;
  std::optional<std::string> reset_details;
  size_t route_cache_clears = 0;
  std::map<std::string, std::string> proxy_state;  // set_envoy_filter_state; a test puts in what there is

  http::HeaderMap* headers(abi::MapType type, bool writable) override;
  Buffer* body(abi::BufferType type) override;
  void continue_stream(host::Direction direction) override { continued.push_back(direction); }
  void send_local_reply(host::LocalReply reply) override;
  bool response_begun() const override { return has_response_; }
  void reset(std::string_view details) override { reset_details = std::string(details); }
  void clear_route_cache() override { ++route_cache_clears; }
  abi::Status set_proxy_state(std::string_view key, std::string_view value) override;

 private:
  // Which maps exist: those whose callback has come.
  bool has_response_ = false;
  bool has_request_trailers_ = false;
  bool has_response_trailers_ = false;
  const abi::BufferType* body_in_callback_ = nullptr;
  bool bypassed_ = false;
  host::HttpContext* context_ = nullptr;
};

}  // namespace inlay::testkit
