// SPDX-License-Identifier: Apache-2.0
// HTTP call-outs: what is refused at once, and the shapes that an answer can have.

#include "testkit/guest_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

class HostHttpCall : public GuestTest {};
INLAY_BOTH_ENGINES(HostHttpCall);

// Bytes of GET http://a/p as pairs, at 1024; "auth" at 0.
const std::string kCallData = R"(
  (data (i32.const 0) "auth")
  (data (i32.const 1024) "\03\00\00\00" "\07\00\00\00\03\00\00\00" "\05\00\00\00\02\00\00\00" "\0a\00\00\00\01\00\00\00"
    ":method\00GET\00" ":path\00/p\00" ":authority\00a\00")
  (func $call (param $headers_size i32) (param $timeout i32) (result i32)
    (call $http_call (i32.const 0) (i32.const 4) (i32.const 1024) (local.get $headers_size) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (local.get $timeout) (i32.const 16)))
)";
constexpr const char* kPairsSize = "(i32.const 62)";

const std::string kImports = import_proxy("log", 3) + import_proxy("http_call", 10) + import_proxy("get_status", 3) +
                             import_proxy("get_buffer_bytes", 5) + import_proxy("get_header_map_value", 5) +
                             import_proxy("set_effective_context", 1) + import_proxy("continue_stream", 1) +
                             import_proxy("set_tick_period_milliseconds", 1);

// Calls on each tick; logs the status, then what comes back: token, counts, status, body.
std::string caller() {
  return guest(kImports, kLogNumber + kCallData + R"(
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
      (drop (call $set_tick_period_milliseconds (i32.const 1000))) (i32.const 1))
    (func (export "proxy_on_tick") (param i32) (call $log_number (call $call )" +
                             std::string(kPairsSize) + R"( (i32.const 500))))
    (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32)
      (call $log_number (local.get 1)) (call $log_number (local.get 2)) (call $log_number (local.get 3))
      (call $log_number (local.get 4))
      (drop (call $get_status (i32.const 16) (i32.const 20) (i32.const 24)))
      (call $log_number (i32.load (i32.const 16)))
      (if (i32.eqz (call $get_buffer_bytes (i32.const 4) (i32.const 0) (i32.const 100) (i32.const 20) (i32.const 24)))
        (then (drop (call $log (i32.const 2) (i32.load (i32.const 20)) (i32.load (i32.const 24))))))))");
}

std::string story(TestProxy& proxy) {
  std::string text;
  for (const auto& line : proxy.log().lines())
    text += (text.empty() ? "" : " ") + line.text.substr(line.text.find(": ") + 2);
  proxy.log().clear();
  return text;
}

TEST_P(HostHttpCall, EachShapeOfAnswer) {
  TestProxy proxy(options());
  auto& upstreams = proxy.worker().upstreams();
  const std::string refused =
      "upstream connect error or disconnect/reset before headers. reset reason: connection failure";
  upstreams.answer("auth", "/p",
                   {.headers = {{":status", "200"}, {"x", "y"}}, .body = "token", .trailers = {{"t", "u"}}});
  upstreams.answer("auth", "/p", {.shape = Answer::Shape::kUnavailable});
  upstreams.answer("auth", "/p", {.shape = Answer::Shape::kReset});
  upstreams.answer("auth", "/p", {.shape = Answer::Shape::kRefused});
  upstreams.answer("auth", "/p", {.shape = Answer::Shape::kTimeout});
  load(proxy, caller());
  proxy.advance(1000ms);
  EXPECT_EQ(story(proxy), "0 4 2 5 1 0 token");
  ASSERT_EQ(upstreams.calls().size(), 1u);
  EXPECT_EQ(upstreams.calls()[0].header(":authority"), "a");
  EXPECT_EQ(upstreams.calls()[0].timeout, 500ms);
  proxy.advance(1000ms);
  EXPECT_EQ(story(proxy), "10");  // InternalFailure, no callback
  proxy.advance(1000ms);
  EXPECT_EQ(story(proxy), "0 8 0 0 0 11");  // reset: BrokenConnection, and no body
  proxy.advance(1000ms);
  EXPECT_EQ(story(proxy), "0 12 3 " + std::to_string(refused.size()) + " 0 0 " + refused);
  proxy.advance(1000ms);
  EXPECT_EQ(story(proxy), "0");
  proxy.advance(500ms);
  EXPECT_EQ(story(proxy), "16 3 24 0 0 upstream request timeout");
}

TEST_P(HostHttpCall, AnUnknownClusterIsABadArgument) {
  TestProxy proxy(options());
  load(proxy, caller());
  proxy.advance(1000ms);
  EXPECT_EQ(story(proxy), "2");
}

TEST_P(HostHttpCall, WhatCannotBeCalledIsRefused) {
  TestProxy proxy(options());
  proxy.worker().upstreams().answer("auth", "/p", {});
  auto& plugin = load(proxy, guest(kImports, kLogNumber + kCallData + R"(
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (call $log_number (call $call (i32.const 0) (i32.const 500)))          ;; no pseudo-headers
      (call $log_number (call $call (i32.const 61) (i32.const 500)))         ;; malformed
      (call $log_number (call $call (i32.const 62) (i32.const -1)))          ;; negative time-out
      (call $log_number (call $call (i32.const 0x7fffffff) (i32.const 500))) ;; outside of memory
      (call $log_number (call $call (i32.const 62) (i32.const 0)))           ;; no time-out: fine
      (i32.const 0)))"));
  proxy.stream(plugin, {})->request_headers();
  EXPECT_EQ(story(proxy), "2 2 2 6 0");
}

TEST_P(HostHttpCall, TheAnswerComesToTheRootAndResumesTheStream) {
  TestProxy proxy(options());
  proxy.worker().upstreams().answer("auth", "/p", {.headers = {{":status", "200"}}, .after = 50ms});
  auto& plugin = load(proxy, guest(kImports + import_proxy("add_header_map_value", 5), kLogNumber + kCallData + R"(
    (data (i32.const 32) ":status")
    (global $stream (mut i32) (i32.const 0))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (global.set $stream (local.get 0))
      (drop (call $call (i32.const 62) (i32.const 500))) (i32.const 1))
    (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32)
      (call $log_number (local.get 0))
      (call $log_number (call $set_effective_context (global.get $stream)))
      (call $log_number (call $get_header_map_value (i32.const 6) (i32.const 32) (i32.const 7) (i32.const 16) (i32.const 20)))
      (call $log_number (call $add_header_map_value (i32.const 0) (i32.const 0) (i32.const 4) (i32.load (i32.const 16)) (i32.const 3)))
      (call $log_number (call $continue_stream (i32.const 0)))
      (call $log_number (call $add_header_map_value (i32.const 0) (i32.const 0) (i32.const 4) (i32.load (i32.const 16)) (i32.const 3)))))"));
  auto stream = proxy.stream(plugin, {{":path", "/"}});
  EXPECT_EQ(stream->request_headers(), abi::HeadersStatus::kStopAllIterationAndWatermark);
  proxy.advance(50ms);
  EXPECT_EQ(story(proxy), "1 0 0 0 0 2");  // after continue_stream the map is out of reach
  EXPECT_EQ(stream->request.get("auth"), "200");
  EXPECT_EQ(stream->continued, std::vector{Direction::kRequest});
  // The call outlives its stream: then the stream's id is unknown.
  auto gone = proxy.stream(plugin, {});
  gone->request_headers();
  gone->finish();
  proxy.advance(50ms);
  EXPECT_EQ(story(proxy).substr(0, 3), "1 2");
}

TEST_P(HostHttpCall, CallsAreCancelledWithTheirVm) {
  TestProxy proxy(options());
  proxy.worker().upstreams().answer("auth", "/p", {.after = 50ms});
  auto& plugin = load(proxy, guest(kImports, kLogNumber + kCallData + R"(
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (drop (call $call (i32.const 62) (i32.const 500)))
      (if (local.get 1) (then unreachable))
      (i32.const 1))
    (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32) (call $log_number (i32.const 1))))"));
  proxy.stream(plugin, {})->request_headers();
  proxy.stream(plugin, {{"a", "b"}})->request_headers();
  proxy.log().clear();
  proxy.advance(1000ms);
  EXPECT_EQ(story(proxy), "");
  for (const auto& call : proxy.worker().upstreams().calls()) EXPECT_TRUE(call.cancelled);
}

}  // namespace
}  // namespace inlay::host
