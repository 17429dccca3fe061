// SPDX-License-Identifier: Apache-2.0
// What tasks hold and let go: bodies, responses, connections; and when a stream is over.
#include "sdk/stream_task_fixture.h"

namespace inlay::sdk {
namespace {

using testing::FakeConnection;
using testing::FakeStream;
using testing::GateRequest;
using testing::Notes;
using testing::StreamTask;

TEST_F(StreamTask, BodyWaitsFromItsFirstPieceOn) {
  FakeStream& stream = worker_.open(root_, {{"user", "admin"}, {"plan", "body"}}, false);
  EXPECT_EQ(stream.status, HeadersStatus::kContinue);
  EXPECT_EQ(worker_.send_body(stream, "a", false), DataStatus::kStopIterationAndBuffer);
  EXPECT_EQ(stream.held_body, "a");
  EXPECT_EQ(worker_.send_body(stream, "b"), DataStatus::kStopIterationAndBuffer);
  EXPECT_EQ(stream.body, "");
  EXPECT_EQ(stream.continued, 0u);
  host_.advance(200ms);
  EXPECT_EQ(stream.continued, 1u);
  EXPECT_EQ(stream.body, "ab");
}

TEST_F(StreamTask, BodyWhoseCallCannotBeSentIsAnswered) {
  FakeStream& stream = worker_.open(root_, {{"user", "unsendable"}, {"plan", "body"}}, false);
  EXPECT_EQ(worker_.send_body(stream, "ab"), DataStatus::kStopIterationAndBuffer);
  EXPECT_EQ(stream.reply_status, 403u);
}

TEST_F(StreamTask, ResponseWaits) {
  FakeStream& stream = open("admin", "response");
  EXPECT_EQ(worker_.respond(stream, {{":status", "200"}}), HeadersStatus::kStopAllIterationAndWatermark);
  FakeStream& other = open("mallory", "response");
  EXPECT_EQ(worker_.respond(other, {{":status", "200"}}), HeadersStatus::kStopAllIterationAndWatermark);
  host_.advance(200ms);
  EXPECT_EQ(stream.response_continued, 1u);
  EXPECT_EQ(stream.response.back().second, "admin");
  EXPECT_EQ(other.reply_status, 502u);
  EXPECT_EQ(other.response_continued, 0u);
}

// The response to a local reply is held and goes on as any other.
TEST_F(StreamTask, ResponseToALocalReplyMayWait) {
  FakeStream& stream = open("admin", "response");
  worker_.run(root_, [&] { worker_.context<GateRequest>(stream.id)->reply(429); });
  stream.reply_status = 0;
  EXPECT_EQ(worker_.respond(stream, {{":status", "429"}}), HeadersStatus::kStopAllIterationAndWatermark);
  host_.advance(200ms);
  EXPECT_EQ(stream.response_continued, 1u);
}

TEST_F(StreamTask, RefusedReplyBecomesAPlainOne) {
  FakeStream& stream = open("admin");
  worker_.run(root_, [&] { worker_.context<GateRequest>(stream.id)->reply(99); });
  EXPECT_EQ(stream.reply_status, 500u);
}

TEST_F(StreamTask, ClosedStreamIsOver) {
  FakeStream& stream = open("admin");
  worker_.run(root_, [&] {
    worker_.context<GateRequest>(stream.id)->close();
    worker_.context<GateRequest>(stream.id)->reply(200);
  });
  host_.advance(200ms);
  EXPECT_TRUE(stream.closed);
  EXPECT_EQ(stream.reply_status, 0u);
  EXPECT_EQ(stream.continued, 0u);
}

TEST_F(StreamTask, ConnectionsAreToldApart) {
  FakeConnection& admin = worker_.connect(root_);
  (void)worker_.client_sends(admin, "admin");
  worker_.disconnect(admin);
  EXPECT_EQ(trace_.alive, 0);
  FakeConnection& other = worker_.connect(root_);
  EXPECT_EQ(worker_.client_sends(other, "mallory"), Action::kPause);
  FakeConnection& allowed = worker_.connect(root_);
  (void)worker_.client_sends(allowed, "admin");
  host_.advance(200ms);
  EXPECT_EQ(other.to_server, "");
  EXPECT_TRUE(other.closed);
  EXPECT_EQ(allowed.to_server, "checked admin");
  EXPECT_FALSE(allowed.closed);
}

// What a connection is shows with its first bytes, when others have come after it.
TEST_F(StreamTask, ConstructorOfAStreamThatIsDecidedLateMayWakeOthers) {
  host_.tells_of_connections = false;
  FakeStream& waiting = open("one", "next");
  FakeConnection& connection = worker_.connect(root_);
  FakeConnection& later = worker_.connect(root_);
  (void)worker_.client_sends(connection, "admin");
  EXPECT_EQ(waiting.header("next"), "one");
  EXPECT_EQ(waiting.continued, 1u);
  (void)worker_.client_sends(later, "mallory");
  host_.advance(200ms);
  EXPECT_EQ(connection.to_server, "checked admin");
  EXPECT_FALSE(connection.closed);
  EXPECT_EQ(later.to_server, "");
  EXPECT_TRUE(later.closed);
}

TEST_F(StreamTask, UpstreamThatCannotGoOnSaysSo) {
  FakeConnection& connection = worker_.connect(root_);
  host_.resumes_upstream = false;  // as in Envoy
  EXPECT_EQ(worker_.server_sends(connection, "hello"), Action::kPause);
  host_.advance(10ms);
  host_.resumes_upstream = true;
  (void)worker_.server_sends(connection, "!");
  host_.advance(10ms);
  EXPECT_EQ(trace_.notes, (Notes{"upstream waits", "upstream goes on"}));
  EXPECT_EQ(connection.to_client, "hello!");
}

}  // namespace
}  // namespace inlay::sdk
