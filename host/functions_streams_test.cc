// SPDX-License-Identifier: Apache-2.0
// Host functions that act on a stream: local replies, going on, resetting.

#include "host/functions_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

using abi::HeadersStatus;

class HostStreams : public GuestTest {};
INLAY_BOTH_ENGINES(HostStreams);

TEST_P(HostStreams, ALocalReplyStopsTheStreamWhateverTheGuestReturns) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("send_local_response", 8) + import_proxy("continue_stream", 1), R"(
    (data (i32.const 0) "no such user" "go away")
    (data (i32.const 64) "\01\00\00\00\01\00\00\00\01\00\00\00x\00y\00"))" + on_request_headers(R"(
      (drop (call $send_local_response (i32.const 403) (i32.const 0) (i32.const 12) (i32.const 12) (i32.const 7)
        (i32.const 64) (i32.const 16) (i32.const -1)))
      (drop (call $send_local_response (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 7)))
      (drop (call $continue_stream (i32.const 0))))")));
  auto stream = proxy.stream(plugin, kRequest);
  EXPECT_EQ(stream->request_headers(), HeadersStatus::kStopAllIterationAndWatermark);
  ASSERT_TRUE(stream->local_reply);
  EXPECT_EQ(stream->local_replies, 1u);  // the first one counts
  EXPECT_EQ(stream->local_reply->status, 403u);
  EXPECT_EQ(stream->local_reply->body, "go away");
  EXPECT_EQ(stream->local_reply->details, "no_such_user");
  EXPECT_EQ(stream->local_reply->headers, (std::vector<std::pair<std::string, std::string>>{{"x", "y"}}));
  EXPECT_FALSE(stream->local_reply->grpc_status);
  EXPECT_TRUE(stream->continued.empty());
}

// A guest that is refused its reply ends or leaves its client waiting: what cannot be sent is left out.
TEST_P(HostStreams, ALocalReplyIsSentWithoutWhatCannotBeSent) {
  TestProxy proxy(options());
  const PairsText headers = pairs_text({{":status", "200"},
                                        {":path", "/"},
                                        {"", "1"},
                                        {"x y", "1"},
                                        {"x-lines", "1\r\nx-evil: 2"},
                                        {"x-nul", std::string("1\0", 2)},
                                        {"x-ok", "1"}});
  auto& plugin =
      load(proxy, guest(import_proxy("log", 3) + import_proxy("send_local_response", 8),
                        kLogNumber + "(data (i32.const 64) \"" + headers.text + "\")" + on_request_headers(R"(
      (call $log_number (call $send_local_response (i32.const 403) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 64) (i32.const )" + std::to_string(headers.size) + R"() (i32.const -1))))")));
  auto stream = proxy.stream(plugin, kRequest);
  EXPECT_EQ(stream->request_headers(), HeadersStatus::kStopAllIterationAndWatermark);
  EXPECT_EQ(proxy.log().count("plugin test sends a reply with the header"), 1u) << proxy.log().text();
  EXPECT_EQ(story(proxy), "0");
  ASSERT_TRUE(stream->local_reply);
  EXPECT_EQ(stream->local_reply->status, 403u);
  EXPECT_EQ(stream->local_reply->headers, (std::vector<std::pair<std::string, std::string>>{{"x-ok", "1"}}));
}

TEST_P(HostStreams, ALocalReplyWhoseStatusOrHeadersAreNoneIsSentAllTheSame) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("log", 3) + import_proxy("send_local_response", 8), kLogNumber + R"(
    (data (i32.const 64) "\ff\ff\ff\7f"))" + on_request_headers(R"(
      (call $log_number (call $send_local_response (i32.const 1000) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 64) (i32.const 4) (i32.const -1))))")));
  auto stream = proxy.stream(plugin, kRequest);
  stream->request_headers();
  EXPECT_EQ(proxy.log().count("plugin test replies with the status 1000, which is none"), 1u) << proxy.log().text();
  EXPECT_EQ(proxy.log().count("plugin test sends a reply with malformed headers"), 1u) << proxy.log().text();
  EXPECT_EQ(story(proxy), "0");
  ASSERT_TRUE(stream->local_reply);
  EXPECT_EQ(stream->local_reply->status, 500u);
  EXPECT_TRUE(stream->local_reply->headers.empty());
}

TEST_P(HostStreams, StreamsAreResumedAndClosedAfterTheGuestHasReturned) {
  TestProxy proxy(options());
  auto& plugin =
      load(proxy, guest(import_proxy("log", 3) + import_proxy("continue_stream", 1) + import_proxy("close_stream", 1),
                        kLogNumber + R"(
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (call $log_number (call $continue_stream (i32.const 0)))
      (call $log_number (call $continue_stream (i32.const 2)))
      (call $log_number (call $continue_stream (i32.const 9)))
      (i32.const 1))
    (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
      (call $log_number (call $close_stream (i32.const 1))) (i32.const 0)))"));
  auto stream = proxy.stream(plugin, kRequest);
  EXPECT_EQ(stream->request_headers(), HeadersStatus::kContinue);  // resumed before it was paused
  EXPECT_EQ(story(proxy), "0 0 2");                                // a connection's direction is Ok and does nothing
  EXPECT_EQ(stream->response_headers({{":status", "200"}}), HeadersStatus::kStopAllIterationAndWatermark);
  EXPECT_EQ(stream->reset_details, "wasm_close_stream");
}

}  // namespace
}  // namespace inlay::host
