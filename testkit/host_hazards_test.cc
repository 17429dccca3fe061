// SPDX-License-Identifier: Apache-2.0
// Hazards: what would end or hang Envoy is told of, counted, and with fail_hazards answered.

#include "testkit/host_functions_fixture.h"

namespace inlay::testkit {
namespace {

using abi::HeadersStatus;

class HostHazards : public GuestTest {
 protected:
  // A guest with `body`, which may resume, close, reply, and act on the stream 2.
  host::WorkerPlugin& guest_with(TestProxy& proxy, const std::string& body) {
    return load(proxy, guest(import_proxy("continue_stream", 1) + import_proxy("close_stream", 1) +
                                 import_proxy("send_local_response", 8) + import_proxy("set_effective_context", 1),
                             R"(
    (func $resume (param i32) (drop (call $continue_stream (local.get 0))))
    (func $reply (param i32) (drop (call $send_local_response (local.get 0) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1)))))" +
                                 body));
  }
  static size_t told(TestProxy& proxy, const std::string& hazard) {
    return proxy.log().count("(hazard " + hazard + ")");
  }
  ProxyOptions failing() const {
    ProxyOptions o = options();
    o.fail_hazards = true;
    return o;
  }
};
INLAY_BOTH_ENGINES(HostHazards);

TEST_P(HostHazards, AResponseThatIsNotThereIsToldOfOncePerPluginAndCallback) {
  TestProxy proxy(options());
  auto& plugin = guest_with(proxy, R"(
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (call $resume (i32.const 1)) (i32.const 0))
    (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) (call $resume (i32.const 1)) (i32.const 0)))");
  for (int i = 0; i < 2; ++i) {
    auto stream = proxy.stream(plugin, kRequest);
    EXPECT_EQ(stream->request_headers(), HeadersStatus::kContinue);
    stream->request_body("x", true);
    EXPECT_FALSE(stream->local_reply);
  }
  EXPECT_EQ(told(proxy, "resume_before_response"), 2u) << proxy.log().text();
  EXPECT_EQ(proxy.log().count("plugin test in proxy_on_request_headers resumes the response before there is one; in "
                              "Envoy this ends the process"),
            1u);
  EXPECT_EQ(proxy.log().count("plugin test in proxy_on_request_body resumes"), 1u);
  EXPECT_EQ(proxy.metric("wasm.hazard.resume_before_response"), 4);
}

// Of each callback that resumes its own direction: what it returns, whether something follows, the hazard.
TEST_P(HostHazards, WhatResumesInItsHeadersCallback) {
  struct Case {
    const char* returned;
    bool end;
    const char* hazard;
  };
  for (const Case& c : {Case{"0", false, "head_twice"}, Case{"0", true, "head_twice"},
                        Case{"1", false, "resume_then_pause"}, Case{"1", true, nullptr}}) {
    SCOPED_TRACE(std::string(c.returned) + (c.end ? " end" : ""));
    TestProxy proxy(options());
    auto& plugin = guest_with(proxy, std::string(R"(
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (call $resume (i32.const 0)) (i32.const )") +
                                         c.returned + "))");
    auto stream = proxy.stream(plugin, kRequest);
    EXPECT_EQ(stream->request_headers(c.end), HeadersStatus::kContinue);
    EXPECT_EQ(proxy.log().count("(hazard "), c.hazard == nullptr ? 0u : 1u) << proxy.log().text();
    if (c.hazard != nullptr) {
      EXPECT_EQ(told(proxy, c.hazard), 1u);
    }
  }
}

TEST_P(HostHazards, ResumingWhatWaitsIsNone) {
  TestProxy proxy(failing());
  auto& plugin = guest_with(proxy, R"(
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 1))
    (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) (call $resume (i32.const 0)) (i32.const 1))
    (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) (i32.const 1))
    (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) (call $resume (i32.const 1)) (i32.const 0))
    (func (export "proxy_on_log") (param i32) (call $resume (i32.const 0)) (call $resume (i32.const 1))))");
  auto stream = proxy.stream(plugin, kRequest);
  stream->request_headers(false);
  stream->request_body("x", true);
  stream->response_headers({{":status", "200"}}, false);
  stream->response_body("x", true);
  stream->finish();
  EXPECT_EQ(proxy.log().count("hazard"), 0u) << proxy.log().text();
}

TEST_P(HostHazards, NothingIsDoneAtTheEnd) {
  TestProxy proxy(failing());
  auto& plugin = guest_with(proxy, R"(
    (func (export "proxy_on_log") (param i32) (call $reply (i32.const 500)))
    (func (export "proxy_on_done") (param i32) (result i32) (drop (call $close_stream (i32.const 0))) (i32.const 1))
    (func (export "proxy_on_delete") (param i32) (call $reply (i32.const 500))))");
  auto stream = proxy.stream(plugin, kRequest);
  stream->finish();
  EXPECT_EQ(told(proxy, "act_at_the_end"), 3u) << proxy.log().text();
  EXPECT_EQ(stream->local_replies, 0u);
  EXPECT_EQ(proxy.metric("wasm.hazard.act_at_the_end"), 3);
}

TEST_P(HostHazards, WithFailTheAnswerNamesTheHazard) {
  TestProxy proxy(failing());
  auto& plugin = guest_with(proxy, R"(
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (call $resume (i32.const 1)) (i32.const 0)))");
  auto stream = proxy.stream(plugin, kRequest);
  EXPECT_EQ(stream->request_headers(), HeadersStatus::kStopAllIterationAndWatermark);
  ASSERT_TRUE(stream->local_reply);
  EXPECT_EQ(stream->local_reply->status, 500u);
  EXPECT_EQ(stream->local_reply->details, "hazard_resume_before_response");
  EXPECT_EQ(stream->local_reply->body, "hazard resume_before_response: in Envoy this ends the process\n");
}

TEST_P(HostHazards, AnEndlessLoopIsOne) {
  ProxyOptions o = options();
  o.limits.call_budget = std::chrono::milliseconds(50);
  TestProxy proxy(o);
  auto& plugin = guest_with(proxy, R"(
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (loop $for_ever (br $for_ever)) (i32.const 0)))");
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(told(proxy, "endless_loop"), 1u) << proxy.log().text();
}

}  // namespace
}  // namespace inlay::testkit
