// SPDX-License-Identifier: Apache-2.0
// Hazards: what would end or hang Envoy is told of, counted, and with fail_hazards answered.

#include "host/functions_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

using abi::HeadersStatus;

class HostHazards : public GuestTest {
 protected:
  // A guest with `body`, which may resume, close, reply, and act on the stream 2.
  WorkerPlugin& guest_with(TestProxy& proxy, const std::string& body) {
    return load(proxy, guest(import_proxy("continue_stream", 1) + import_proxy("close_stream", 1) +
                                 import_proxy("send_local_response", 8) + import_proxy("set_effective_context", 1) +
                                 import_proxy("http_call", 10) + import_proxy("set_tick_period_milliseconds", 1),
                             R"(
    (func $resume (param i32) (drop (call $continue_stream (local.get 0))))
    (func $reply (param i32) (drop (call $send_local_response (local.get 0) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const -1)))))" +
                                 body));
  }
  // Holds each request; every 10 ms `asked` is done for the stream 2.
  static std::string on_tick(const std::string& asked) {
    return R"(
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
      (drop (call $set_tick_period_milliseconds (i32.const 10))) (i32.const 1))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 1))
    (func (export "proxy_on_tick") (param i32) (drop (call $set_effective_context (i32.const 2))))" +
           asked + ")";
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

// What a tick asks for a stream that waits, with a hazard in it.
TEST_P(HostHazards, WithFailNothingElseIsDoneInThatCallback) {
  const std::string close = "(drop (call $close_stream (i32.const 0)))";
  const std::string reply = "(call $reply (i32.const 403))";
  const std::string resume = "(call $resume (i32.const 0))";
  for (const std::string& asked : {reply + close, close + reply, reply + reply, close + close + reply,
                                   resume + reply + close + reply + close + resume}) {
    SCOPED_TRACE(asked);
    TestProxy proxy(failing());
    auto& plugin = guest_with(proxy, on_tick(asked));
    auto stream = proxy.stream(plugin, kRequest);
    stream->request_headers();
    proxy.advance(10ms);
    EXPECT_EQ(stream->local_replies, 1u);
    ASSERT_TRUE(stream->local_reply);
    EXPECT_EQ(stream->local_reply->details, "hazard_replied_twice");
    EXPECT_FALSE(stream->reset_details) << *stream->reset_details;
    EXPECT_TRUE(stream->continued.empty());
    EXPECT_EQ(proxy.metric("wasm.hazard.replied_twice"), 1);
  }
}

TEST_P(HostHazards, NothingGoesOnBehindAClose) {
  for (const char* asked : {"(call $resume (i32.const 0)) (drop (call $close_stream (i32.const 0)))",
                            "(drop (call $close_stream (i32.const 0))) (call $resume (i32.const 0))"}) {
    TestProxy proxy(options());
    auto& plugin = guest_with(proxy, on_tick(asked));
    auto stream = proxy.stream(plugin, kRequest);
    stream->request_headers();
    proxy.advance(10ms);
    EXPECT_EQ(stream->reset_details, "wasm_close_stream");
    EXPECT_TRUE(stream->continued.empty());
  }
}

// Each stream makes two calls, and each answer replies: to stream 2 + (token / 4 - 1) / 2.
TEST_P(HostHazards, AStreamThatIsAskedForInVainIsOneIfAnAnswerHasEndedIt) {
  constexpr size_t kKnown = 64;
  TestProxy proxy(options());
  const auto call = pairs_text({{":method", "GET"}, {":path", "/"}, {":authority", "a"}});
  const std::string send = "(drop (call $http_call (i32.const 0) (i32.const 4) (i32.const 1024) (i32.const " +
                           std::to_string(call.size) + R"() (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 16))))";
  auto& plugin = guest_with(proxy, R"((data (i32.const 0) "auth") (data (i32.const 1024) ")" + call.text + R"(")
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) )" +
                                       send + send + R"( (i32.const 1))
    (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32)
      (br_if 0 (call $set_effective_context (i32.add (i32.const 2) (i32.shr_u
        (i32.sub (i32.shr_u (local.get 1) (i32.const 2)) (i32.const 1)) (i32.const 1)))))
      (call $reply (i32.const 403))))");
  auto& upstreams = proxy.worker().upstreams();
  upstreams.add_cluster("auth");
  std::vector<std::unique_ptr<TestStream>> streams;
  for (size_t i = 0; i < kKnown + 2; ++i) {
    streams.push_back(proxy.stream(plugin, kRequest));
    streams.back()->request_headers();
  }
  const size_t last = kKnown + 1;
  streams[last]->finish();
  upstreams.respond(2 * last, {});
  EXPECT_EQ(told(proxy, "answered_twice"), 0u) << "its client ended it";
  for (size_t i = 0; i < last; ++i) {
    upstreams.respond(2 * i, {});
    ASSERT_TRUE(streams[i]->local_reply);
    streams[i]->finish();
  }
  upstreams.respond(2 * last + 1, {});
  EXPECT_EQ(proxy.metric("wasm.hazard.answered_twice"), 0);
  upstreams.respond(1, {});
  EXPECT_EQ(proxy.metric("wasm.hazard.answered_twice"), 0) << "too long ago";
  upstreams.respond(3, {});
  upstreams.respond(2 * kKnown + 1, {});
  EXPECT_EQ(proxy.metric("wasm.hazard.answered_twice"), 2);
  EXPECT_EQ(told(proxy, "answered_twice"), 1u) << proxy.log().text();
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
}  // namespace inlay::host
