// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/stream.h"

#include <gmock/gmock.h>

#include "dynamic_module/fake_envoy_fixture.h"
#include "testkit/guest_fixture.h"

namespace inlay::dynamic_module {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testkit::guest;
using testkit::import_proxy;

class StreamTest : public FakeEnvoyTest {
 protected:
  // A guest with host functions of all these tests, some texts, and `body`.
  static std::string guest_with(const std::string& body) {
    return guest(import_proxy("replace_header_map_value", 5) + import_proxy("remove_header_map_value", 3) +
                     import_proxy("add_header_map_value", 5) + import_proxy("send_local_response", 8) +
                     import_proxy("http_call", 10) + import_proxy("set_effective_context", 1) +
                     import_proxy("continue_stream", 1) + import_proxy("close_stream", 1) +
                     import_proxy("set_buffer_bytes", 5) + import_proxy("set_tick_period_milliseconds", 1) +
                     import_proxy("get_buffer_bytes", 5) + import_proxy("set_property", 4) +
                     import_proxy("get_property", 4),
                 R"(
  (data (i32.const 1024) "x-a")
  (data (i32.const 1032) "one")
  (data (i32.const 1040) "two")
  (data (i32.const 1048) "auth")
  ;; :method GET, :path /, :authority a
  (data (i32.const 2048) "\03\00\00\00\07\00\00\00\03\00\00\00\05\00\00\00\01\00\00\00\0a\00\00\00\01\00\00\00")
  (data (i32.const 2076) ":method\00GET\00:path\00/\00:authority\00a\00")
  (global $stream (mut i32) (i32.const 0))
  (func $set (param $map i32) (drop (call $replace_header_map_value (local.get $map) (i32.const 1024) (i32.const 3)
    (i32.const 1032) (i32.const 3))))
  (func $reply (param $status i32) (drop (call $send_local_response (local.get $status) (i32.const 0) (i32.const 0)
    (i32.const 1032) (i32.const 3) (i32.const 0) (i32.const 0) (i32.const -1))))
  (func $call_out (drop (call $http_call (i32.const 1048) (i32.const 4) (i32.const 2048) (i32.const 61)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 16))))
)" + body);
  }
  static std::string on(const std::string& name, int parameters, const std::string& body, bool returns = true) {
    std::string text = "(func (export \"proxy_on_" + name + "\") (param";
    for (int i = 0; i < parameters; ++i) text += " i32";
    return text + ")" + (returns ? " (result i32)" : "") + body + ")\n";
  }
};

TEST_F(StreamTest, OnlyWhatAGuestHasChangedOfTheHeadersIsWritten) {
  configure(guest_with(on("request_headers", 3, R"(
    (call $set (i32.const 0))
    (drop (call $add_header_map_value (i32.const 0) (i32.const 1040) (i32.const 3) (i32.const 1032) (i32.const 3)))
    (drop (call $remove_header_map_value (i32.const 0) (i32.const 1048) (i32.const 4)))
    (i32.const 0))")));
  auto stream = filter({{"x-a", "old"}, {"auth", "1"}, {"kept", "1"}, {"two", "zero"}});
  EXPECT_EQ(stream->stream->request_headers(true), 0u);
  EXPECT_THAT(stream->done, ElementsAre("set two", "add two", "set x-a", "remove auth"));
  EXPECT_EQ(stream->maps[0].size(), 6u);
  EXPECT_EQ(stream->route_clears, 1u);
}

TEST_F(StreamTest, AGuestThatChangesNothingWritesNothing) {
  configure(guest_with(on("request_headers", 3, "(call $set (i32.const 0)) (i32.const 0)")));
  auto stream = filter({{"x-a", "one"}});
  EXPECT_EQ(stream->stream->request_headers(true), 0u);
  EXPECT_THAT(stream->done, IsEmpty());
  EXPECT_EQ(stream->route_clears, 0u);
}

TEST_F(StreamTest, AHeaderThatCannotBeSentIsEnvoysToAnswerWhereTheRouteLeadsToACluster) {
  configure(guest_with("(data (i32.const 1032) \"o\\0ae\")" +
                       on("request_headers", 3, "(call $set (i32.const 0)) (i32.const 0)")));
  auto stream = filter();
  stream->cluster = "origin";
  EXPECT_EQ(stream->stream->request_headers(true), 0u);
  EXPECT_THAT(stream->done, ElementsAre("set x-a"));
  auto redirected = filter();
  EXPECT_EQ(redirected->stream->request_headers(true), 1u);
  EXPECT_THAT(redirected->done, ElementsAre("set x-a", "reply 503 invalid header value for: x-a"));
}

TEST_F(StreamTest, AGuestDoesNotSeeWhatIsOverTheLimitOfAResponse) {
  configure(guest_with(on("response_body", 3, R"(
    (if (global.get $stream) (then (call $reply (i32.const 403))))
    (global.set $stream (i32.const 1))
    (i32.const 1))")));
  auto stream = filter();
  stream->buffer_limit = 4;
  EXPECT_EQ(stream->stream->request_headers(true), 0u);
  EXPECT_EQ(stream->stream->response_headers(false), 0u);
  stream->bodies[number(envoy::BodyType::kReceivedResponse)] = "abc";
  EXPECT_EQ(stream->stream->response_body(false), 1u);
  stream->bodies[number(envoy::BodyType::kBufferedResponse)] = "abc";
  EXPECT_EQ(stream->stream->response_body(false), 1u);
  EXPECT_THAT(stream->done, IsEmpty());
}

TEST_F(StreamTest, AHeaderOfAResponseThatCannotBeSentIsAnsweredAndNotWritten) {
  configure(guest_with("(data (i32.const 1032) \"o\\0ae\")" +
                       on("response_headers", 3, "(call $set (i32.const 2)) (i32.const 0)")));
  auto stream = filter();
  stream->maps[2] = {{":status", "200"}};
  EXPECT_EQ(stream->stream->request_headers(true), 0u);
  EXPECT_EQ(stream->stream->response_headers(true), 1u);
  EXPECT_THAT(stream->done, ElementsAre("reply 503 invalid header value for: x-a"));
}

TEST_F(StreamTest, ATrailerThatCannotBeSentIsLeftOut) {
  configure(guest_with("(data (i32.const 1032) \"o\\0ae\")" + on("response_trailers", 2, R"(
    (call $set (i32.const 3))
    (drop (call $replace_header_map_value (i32.const 3) (i32.const 1048) (i32.const 4) (i32.const 1040) (i32.const 3)))
    (i32.const 0))")));
  auto stream = filter();
  stream->maps[3] = {{"t", "1"}};
  EXPECT_EQ(stream->stream->request_headers(true), 0u);
  EXPECT_EQ(stream->stream->response_trailers(), 0u);
  EXPECT_THAT(stream->done, ElementsAre("set auth"));
}

TEST_F(StreamTest, AReplyGoesOutWithTheLockFreeAndMayEndTheStream) {
  configure(guest_with(on("request_headers", 3, "(call $reply (i32.const 403)) (i32.const 0)")));
  auto stream = filter();
  stream->destroy_inside = true;
  EXPECT_EQ(stream->stream->request_headers(true), 1u);
  EXPECT_THAT(stream->done, ElementsAre("reply 403 one"));
  EXPECT_EQ(stream->stream, nullptr);
}

TEST_F(StreamTest, AReplyToAGrpcRequestIsNoSuccess) {
  configure(guest_with(on("request_headers", 3, "(call $reply (i32.const 403)) (i32.const 0)")));
  auto stream = filter({{"content-type", "application/grpc+proto"}});
  EXPECT_EQ(stream->stream->request_headers(true), 1u);
  EXPECT_THAT(stream->done, ElementsAre("reply 403 one content-type=application/grpc grpc-status=7"));
}

TEST_F(StreamTest, ItsOwnReplyPassesItsCallbacksAboutTheResponse) {
  configure(guest_with(on("request_headers", 3, "(call $reply (i32.const 403)) (i32.const 0)") +
                       on("response_headers", 3, "(call $set (i32.const 2)) (i32.const 0)") +
                       on("response_body", 3, R"((drop (call $set_buffer_bytes (i32.const 1) (i32.const 0)
                         (i32.const 3) (i32.const 1040) (i32.const 3))) (i32.const 0))")));
  auto stream = filter();
  EXPECT_EQ(stream->stream->request_headers(true), 1u);
  EXPECT_THAT(stream->done, ElementsAre("reply 403 two x-a=one"));
}

TEST_F(StreamTest, TheCodeOfItsOwnReplyIsThereWhileItPasses) {
  configure(guest_with("(data (i32.const 3072) \"response\\00code\")" +
                       on("request_headers", 3, "(call $reply (i32.const 403)) (i32.const 0)") +
                       on("response_headers", 3, R"((if (i32.eqz (call $get_property (i32.const 3072) (i32.const 13)
                         (i32.const 16) (i32.const 20)))
                         (then (if (i32.eq (i32.load (i32.load (i32.const 16))) (i32.const 403))
                           (then (call $set (i32.const 2)))))) (i32.const 0))")));
  auto stream = filter();
  EXPECT_EQ(stream->stream->request_headers(true), 1u);
  EXPECT_THAT(stream->done, ElementsAre("reply 403 one x-a=one"));
}

TEST_F(StreamTest, ItsOwnReplyIsHeldUntilItIsLetGo) {
  configure(guest_with(
      on("request_headers", 3, "(global.set $stream (local.get 0)) (call $reply (i32.const 403)) (i32.const 0)") +
      on("response_headers", 3, "(call $call_out) (i32.const 1)") +
      on("http_call_response", 5, R"((drop (call $set_effective_context (global.get $stream)))
                         (call $set (i32.const 2)) (drop (call $continue_stream (i32.const 1))))",
         false)));
  auto stream = filter();
  EXPECT_EQ(stream->stream->request_headers(false), 1u);
  EXPECT_EQ(stream->stream->request_body(true), 3u);  // which the guest does not see
  EXPECT_THAT(stream->done, IsEmpty());
  config_.run_main(*configuration_);
  answer(1, {{":status", "200"}});
  while (stream->done.empty()) stream->run_scheduled();
  EXPECT_THAT(stream->done, ElementsAre("reply 403 one x-a=one"));
}

TEST_F(StreamTest, ATrapIsAnsweredAsThePolicySays) {
  configure(guest_with(on("request_headers", 3, "unreachable")));
  auto stream = filter();
  EXPECT_EQ(stream->stream->request_headers(true), 1u);
  EXPECT_THAT(stream->done, ElementsAre("reply 503 "));
}

constexpr std::string_view kCallAndWait = R"((global.set $stream (local.get 0)) (call $call_out) (i32.const 1))";
constexpr std::string_view kGoOn =
    R"((drop (call $set_effective_context (global.get $stream))) (call $set (i32.const 0))
       (drop (call $continue_stream (i32.const 0))))";

TEST_F(StreamTest, AnAnswerLetsTheStreamGoOnOnItsWorker) {
  configure(guest_with(on("request_headers", 3, std::string(kCallAndWait)) +
                       on("http_call_response", 5, std::string(kGoOn), false)));
  auto stream = filter();
  EXPECT_EQ(stream->stream->request_headers(true), 4u);
  config_.run_main(*configuration_);
  ASSERT_EQ(config_.calls.size(), 1u);
  EXPECT_EQ(config_.calls[0].cluster, "auth");
  answer(1, {{":status", "200"}});
  stream->run_scheduled();
  while (stream->done.size() < 2) stream->run_scheduled();
  EXPECT_THAT(stream->done, ElementsAre("set x-a", "continue request"));
}

TEST_F(StreamTest, ACallThatEndsWhileItIsAskedForIsAnswered) {
  configure(guest_with(on("request_headers", 3, std::string(kCallAndWait)) +
                       on("http_call_response", 5, std::string(kGoOn), false)));
  auto stream = filter();
  EXPECT_EQ(stream->stream->request_headers(true), 4u);
  config_.while_asking = [&](uint64_t id) { answer(id, {}, {}, envoy::CallResult::kReset); };
  config_.next_start = envoy::CallStart::kCannotCreate;
  config_.run_main(*configuration_);
  while (stream->done.size() < 2) stream->run_scheduled();
  EXPECT_THAT(stream->done, ElementsAre("set x-a", "continue request"));
}

TEST_F(StreamTest, AStreamThatIsGoneIsNotTouchedByTheAnswer) {
  configure(guest_with(on("request_headers", 3, std::string(kCallAndWait)) +
                       on("http_call_response", 5, std::string(kGoOn), false)));
  auto stream = filter();
  EXPECT_EQ(stream->stream->request_headers(true), 4u);
  config_.run_main(*configuration_);
  stream->stream->complete();
  stream->destroy();
  answer(1, {{":status", "200"}});
  configuration_.reset();
  EXPECT_THAT(stream->done, IsEmpty());
}

TEST_F(StreamTest, AConfigurationMayGoWhileACallIsUnderWay) {
  configure(guest_with(on("request_headers", 3, std::string(kCallAndWait))));
  auto stream = filter();
  EXPECT_EQ(stream->stream->request_headers(true), 4u);
  stream->destroy();
  configuration_.reset();
}

TEST_F(StreamTest, ABodyIsSeenWholeAndReplaced) {
  // Buffers until the end, and then puts "one" before all.
  configure(guest_with(on("request_body", 3, R"(
    (if (i32.eqz (local.get 2)) (then (return (i32.const 1))))
    (drop (call $set_buffer_bytes (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1032) (i32.const 3)))
    (i32.const 0))")));
  auto stream = filter();
  EXPECT_EQ(stream->stream->request_headers(false), 0u);
  stream->bodies[0] = "hello ";
  EXPECT_EQ(stream->stream->request_body(false), 1u);
  stream->bodies[1] = std::exchange(stream->bodies[0], "world");  // as Envoy does
  EXPECT_EQ(stream->stream->request_body(true), 0u);
  EXPECT_EQ(stream->bodies[1] + stream->bodies[0], "onehello world");
}

TEST_F(StreamTest, PiecesThatAreHeldAreSeenOnceEach) {
  configure(guest_with(on("request_body", 3, R"(
    (drop (call $get_buffer_bytes (i32.const 0) (i32.const 0) (i32.const 100) (i32.const 16) (i32.const 20)))
    (if (i32.eqz (local.get 2)) (then (return (i32.const 2))))
    (i32.const 0))")));
  auto stream = filter();
  EXPECT_EQ(stream->stream->request_headers(false), 0u);
  for (const char* piece : {"abc", "def"}) {
    stream->bodies[0] = piece;
    EXPECT_EQ(stream->stream->request_body(false), 2u);
    stream->bodies[1] += std::exchange(stream->bodies[0], "");
  }
  stream->bodies[0] = "ghi";
  EXPECT_EQ(stream->stream->request_body(true), 0u);
  EXPECT_EQ(stream->bodies[1] + stream->bodies[0], "abcdefghi");
}

TEST_F(StreamTest, ABodyThatAFilterBeforeHasHeldIsHeldOnce) {
  configure(guest_with(on("request_body", 3, "(call $call_out) (i32.const 1)")));
  auto stream = filter();
  EXPECT_EQ(stream->stream->request_headers(false), 0u);
  stream->received_is_held = true;
  stream->bodies[0] = stream->bodies[1] = "abcdef";  // one buffer
  EXPECT_EQ(stream->stream->request_body(true), 1u);
  stream->bodies[0].clear();
  stream->stream->scheduled();
  EXPECT_EQ(stream->bodies[1], "abcdef");
}

TEST_F(StreamTest, ABodyThatWaitsIsChangedFromElsewhere) {
  configure(guest_with(on("request_body", 3, std::string(kCallAndWait)) +
                       on("http_call_response", 5,
                          R"((drop (call $set_effective_context (global.get $stream)))
                             (drop (call $set_buffer_bytes (i32.const 0) (i32.const 0) (i32.const 100)
                               (i32.const 1032) (i32.const 3)))
                             (drop (call $continue_stream (i32.const 0))))",
                          false)));
  auto stream = filter();
  EXPECT_EQ(stream->stream->request_headers(false), 0u);
  stream->bodies[0] = "secret";
  EXPECT_EQ(stream->stream->request_body(true), 1u);
  stream->bodies[1] = std::exchange(stream->bodies[0], "");
  config_.run_main(*configuration_);
  answer(1, {{":status", "200"}});
  stream->run_scheduled();
  EXPECT_THAT(stream->done, ElementsAre("continue request"));
  EXPECT_EQ(stream->bodies[1], "one");
}

TEST_F(StreamTest, WhatAGuestAsksOfAnotherStreamIsDoneThere) {
  // The second stream answers the first, which waits.
  configure(guest_with(on("request_headers", 3, R"(
    (if (i32.eqz (global.get $stream)) (then (global.set $stream (local.get 0)) (return (i32.const 1))))
    (drop (call $set_effective_context (global.get $stream)))
    (call $reply (i32.const 401))
    (i32.const 0))")));
  auto first = filter();
  auto second = filter();
  EXPECT_EQ(first->stream->request_headers(true), 4u);
  EXPECT_EQ(second->stream->request_headers(true), 0u);
  EXPECT_THAT(second->done, IsEmpty());
  first->run_scheduled();
  EXPECT_THAT(first->done, ElementsAre("reply 401 one"));
}

TEST_F(StreamTest, AStreamIsReset) {
  configure(guest_with(on("request_headers", 3, "(drop (call $close_stream (i32.const 0))) (i32.const 0)")));
  auto stream = filter();
  EXPECT_EQ(stream->stream->request_headers(true), 1u);
  EXPECT_THAT(stream->done, ElementsAre("reset wasm_close_stream"));
}

TEST_F(StreamTest, APropertyIsFilterStateOfTheStream) {
  configure(guest_with(on("request_headers", 3, R"(
    (drop (call $set_property (i32.const 1024) (i32.const 3) (i32.const 1032) (i32.const 3)))
    (i32.const 0))")));
  auto stream = filter();
  EXPECT_EQ(stream->stream->request_headers(true), 0u);
  EXPECT_EQ(stream->state["wasm.x-a"], "one");
}

TEST_F(StreamTest, ATickMayLetAStreamGoOn) {
  configure(guest_with(on("configure", 2, "(drop (call $set_tick_period_milliseconds (i32.const 1))) (i32.const 1)") +
                       on("request_headers", 3, "(global.set $stream (local.get 0)) (i32.const 1)") +
                       on("tick", 1,
                          R"((if (global.get $stream) (then
                               (drop (call $set_effective_context (global.get $stream)))
                               (drop (call $continue_stream (i32.const 0)))
                               (global.set $stream (i32.const 0)))))",
                          false)));
  auto stream = filter();
  EXPECT_EQ(stream->stream->request_headers(true), 4u);
  stream->run_scheduled();
  EXPECT_THAT(stream->done, ElementsAre("continue request"));
}

TEST_F(StreamTest, AStreamThatFailsOpenAsksNothing) {
  configure(guest_with(on("request_headers", 3, "unreachable")), {.failure_policy = host::FailurePolicy::kFailOpen});
  auto stream = filter();
  EXPECT_EQ(stream->stream->request_headers(true), 0u);
  EXPECT_EQ(filter()->stream->request_headers(true), 0u);
  EXPECT_EQ(stream->stream->response_headers(true), 0u);
  stream->stream->complete();
  EXPECT_THAT(stream->done, IsEmpty());
}

}  // namespace
}  // namespace inlay::dynamic_module
