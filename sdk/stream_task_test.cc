// SPDX-License-Identifier: Apache-2.0
// Tasks of streams: each acts on its own stream, and ends with it.
#include "sdk/stream_task_fixture.h"

namespace inlay::sdk {
namespace {

using testing::FakeStream;
using testing::FakeWorker;
using testing::GateConnection;
using testing::GateRequest;
using testing::GateRoot;
using testing::Notes;
using testing::StreamTask;

INLAY_REGISTER("gate", GateRoot, GateRequest, GateConnection);

TEST_F(StreamTask, AnswerDecidesItsOwnRequest) {
  FakeStream& admin = open("admin");
  FakeStream& other = open("mallory");
  EXPECT_EQ(admin.status, HeadersStatus::kStopAllIterationAndWatermark);
  EXPECT_EQ(admin.continued, 0u);
  host_.advance(200ms);
  EXPECT_EQ(admin.continued, 1u);
  EXPECT_EQ(admin.header("checked"), "admin");
  EXPECT_EQ(other.reply_status, 403u);
  EXPECT_EQ(other.reply_body, "no\n");
  EXPECT_EQ(other.continued, 0u);
  EXPECT_EQ(trace_.notes, (Notes{"admin goes on as admin", "mallory goes on as mallory"}));
  EXPECT_EQ(trace_.alive, 0);
}

// The client of the first goes away; the memory of its context is the second's now.
TEST_F(StreamTask, AnswerOfAStreamThatIsGoneTouchesNoOther) {
  FakeStream& admin = open("admin");
  host_.advance(50ms);
  worker_.close(admin);
  EXPECT_EQ(trace_.alive, 0) << "the task ends with its stream";
  FakeStream& other = open("mallory");
  host_.advance(60ms);  // the first answer has come
  EXPECT_EQ(other.continued, 0u);
  EXPECT_EQ(other.header("checked"), "");
  EXPECT_EQ(other.reply_status, 0u);
  host_.advance(60ms);
  EXPECT_EQ(other.reply_status, 403u);
  EXPECT_EQ(trace_.notes, (Notes{"~admin", "mallory goes on as mallory"})) << "nobody hears of the dropped answer";
}

TEST_F(StreamTask, ContextNumberThatIsUsedAgainIsAnotherStream) {
  FakeStream& admin = open("admin");
  const ContextId number = admin.id;
  worker_.close(admin);
  worker_.number_next(number);
  FakeStream& other = open("mallory");
  ASSERT_EQ(other.id, number);
  host_.advance(200ms);
  EXPECT_EQ(other.continued, 0u);
  EXPECT_EQ(other.reply_status, 403u);
}

TEST_F(StreamTask, StreamMayEndInTheCallbackInWhichItsTaskGoesOn) {
  FakeStream& admin = open("admin");
  FakeStream* const other = &open("mallory");
  bool closed = false;
  host_.on_continue = [&](FakeStream&) {
    worker_.close(*other);  // as a host that acts within its functions
    closed = true;
  };
  host_.advance(200ms);
  EXPECT_TRUE(closed);
  EXPECT_EQ(admin.continued, 1u);
  worker_.close(admin);
  EXPECT_EQ(trace_.notes, (Notes{"admin goes on as admin", "~mallory", "~admin"}));
}

TEST_F(StreamTask, ReplyWhileATaskWaitsIsTheLastWord) {
  FakeStream& stream = open("admin", "two");
  worker_.run(root_, [&] { worker_.context<GateRequest>(stream.id)->reply(429); });
  EXPECT_EQ(stream.reply_status, 429u);
  host_.advance(200ms);
  EXPECT_EQ(stream.continued, 0u);
  EXPECT_EQ(trace_.alive, 0);
}

TEST_F(StreamTask, OnlyTheFirstReplyCounts) {
  FakeStream& stream = open("mallory", "deny all");
  host_.advance(200ms);
  EXPECT_EQ(stream.reply_status, 403u);
  EXPECT_EQ(stream.continued, 0u);
}

TEST_F(StreamTask, CallsOfOneTaskComeOneAfterAnother) {
  FakeStream& stream = open("admin", "twice");
  EXPECT_EQ(host_.calls.size(), 1u);
  host_.advance(110ms);
  EXPECT_EQ(host_.calls.size(), 2u);
  EXPECT_EQ(stream.continued, 0u);
  host_.advance(100ms);
  EXPECT_EQ(stream.continued, 1u);
}

TEST_F(StreamTask, CallsOfTwoTasksAreUnderWayTogether) {
  FakeStream& stream = open("admin", "two");
  FakeStream& other = open("mallory", "two");
  EXPECT_EQ(host_.calls.size(), 4u);
  host_.advance(110ms);
  EXPECT_EQ(stream.continued, 1u);
  EXPECT_EQ(other.reply_status, 403u) << "both deny it, and the first replies";
}

TEST_F(StreamTask, HelperOfTheRootContextActsForTheStream) {
  FakeStream& admin = open("admin", "helper");
  FakeStream& gone = open("admin2", "helper");
  worker_.close(gone);
  host_.advance(200ms);
  EXPECT_EQ(admin.header("checked"), "admin");
  EXPECT_EQ(admin.continued, 1u);
}

TEST_F(StreamTask, TimerActsOnItsOwnStream) {
  FakeStream& one = open("one", "sleep");
  FakeStream& two = open("two", "sleep");
  FakeStream& gone = open("gone", "sleep");
  worker_.close(gone);
  host_.advance(50ms);
  EXPECT_EQ(one.header("checked"), "one");
  EXPECT_EQ(two.header("checked"), "two");
  EXPECT_EQ(one.continued, 1u);
  EXPECT_EQ(two.continued, 2u);
}

TEST_F(StreamTask, SharedQueueWakesWhoWaitsForIt) {
  FakeStream& one = open("one", "word");
  FakeStream& gone = open("gone", "word");
  FakeStream& two = open("two", "word");
  worker_.close(gone);
  FakeWorker& sender = host_.add_worker();
  sender.start("gate", "");  // takes the queue over, and gives it back
  ASSERT_TRUE(worker_.configure(root_, ""));
  const ContextId root = root_;
  host_.advance(10ms);
  EXPECT_EQ(one.continued, 0u);
  host_.enqueue("words", "go");
  host_.advance(1ms);
  EXPECT_EQ(one.header("word"), "go");
  EXPECT_EQ(two.header("word"), "go");
  EXPECT_EQ(two.continued, 2u);
  FakeStream& late = open("late", "word");
  host_.advance(200ms);
  EXPECT_EQ(late.reply_status, 504u) << "nothing came in time";
  EXPECT_EQ(worker_.context<GateRoot>(root)->last_word, "go");
}

TEST_F(StreamTask, ConstructorMayWakeOthers) {
  FakeStream& one = open("one", "next");
  FakeStream& two = open("admin");
  EXPECT_EQ(one.header("next"), "one");
  EXPECT_EQ(one.continued, 1u);
  EXPECT_EQ(two.header("next"), "");
  host_.advance(200ms);
  EXPECT_EQ(two.header("checked"), "admin");
}

TEST_F(StreamTask, CallThatCannotBeSentIsDecidedWithinTheCallback) {
  FakeStream& stream = open("unsendable");
  EXPECT_EQ(stream.reply_status, 403u);
  EXPECT_EQ(stream.status, HeadersStatus::kStopAllIterationAndWatermark);
  FakeStream& reset = open("reset");
  EXPECT_EQ(reset.reply_status, 0u);
  host_.advance(200ms);
  EXPECT_EQ(reset.reply_status, 403u);
}

TEST_F(StreamTask, ResumeWithinTheCallbackTakesItsPauseBack) {
  FakeStream& stream = open("admin", "eager");
  EXPECT_EQ(stream.status, HeadersStatus::kContinue);
  EXPECT_EQ(stream.continued, 0u) << "there was nothing to continue";
  FakeStream& replied = open("admin", "hasty");
  EXPECT_EQ(replied.reply_status, 401u);
  EXPECT_EQ(replied.status, HeadersStatus::kStopAllIterationAndWatermark) << "a reply is the last word";
}

TEST_F(StreamTask, UnknownCallIsNobodys) {
  FakeStream& admin = open("admin");
  worker_.answer_call(root_, 4711);
  worker_.answer_call(admin.id, 4711);
  worker_.answer_call(99, 4);
  worker_.answer_call(root_, 0);
  EXPECT_EQ(admin.continued, 0u);
  worker_.answer_call(admin.id, 4);  // a host that names the stream
  EXPECT_EQ(admin.continued, 1u);
  worker_.answer_call(root_, 4, 403);  // twice
  host_.advance(200ms);
  EXPECT_EQ(admin.reply_status, 0u);
  EXPECT_EQ(trace_.notes, (Notes{"admin goes on as admin"}));
}

TEST_F(StreamTask, RootContextHearsOfItsOwnCalls) {
  FakeStream& admin = open("admin");
  worker_.close(admin);
  const Pair headers[] = {{":method", "GET"}, {":path", "/"}, {":authority", "a"}};
  worker_.run(root_, [&] { EXPECT_TRUE(send_http_call({.cluster = "auth", .headers = headers}, 1s).has_value()); });
  worker_.run(root_, [&] { EXPECT_FALSE(send_http_call({.cluster = "none", .headers = headers}, 1s).has_value()); });
  host_.advance(1s);
  EXPECT_EQ(trace_.notes, (Notes{"~admin", "root hears of 8"}));
}

// A capability restriction takes proxy_set_effective_context away: the root context is effective when the answer comes.
TEST_F(StreamTask, ContextThatCannotBeMadeEffectiveIsLeftAlone) {
  FakeStream& admin = open("admin");
  host_.may_set_effective = false;
  host_.advance(200ms);
  EXPECT_EQ(admin.continued, 0u);
  EXPECT_EQ(trace_.notes, Notes{});
  EXPECT_TRUE(host_.logged("proxy_set_effective_context is refused"));
  worker_.run(root_, [&] {
    EXPECT_FALSE(worker_.context<GateRequest>(admin.id)->make_effective());
    EXPECT_FALSE(EffectiveScope(*worker_.context<GateRequest>(admin.id)));
    worker_.context<GateRequest>(admin.id)->reply(200);
    EXPECT_FALSE(worker_.context<GateRequest>(admin.id)->resume_request());
  });
  EXPECT_EQ(admin.reply_status, 0u);
}

TEST_F(StreamTask, RootContextActsOnAStreamWithoutChangingWhatIsEffective) {
  FakeStream& stream = open("admin");
  FakeStream& other = open("other");
  worker_.run(other.id, [&] {
    (void)HttpContext::request_headers().set("before", "1");
    EXPECT_TRUE(worker_.context<GateRequest>(stream.id)->resume_request());
    (void)HttpContext::request_headers().set("after", "1");
    if (const EffectiveScope scope(*worker_.context<GateRequest>(stream.id)); scope)
      (void)HttpContext::request_headers().set("scoped", "1");
    worker_.context<GateRequest>(other.id)->reply(418);
  });
  EXPECT_EQ(stream.continued, 1u);
  EXPECT_EQ(stream.header("scoped"), "1");
  EXPECT_EQ(other.header("before") + other.header("after") + other.header("scoped"), "11");
  EXPECT_EQ(other.reply_status, 418u);
}

}  // namespace
}  // namespace inlay::sdk
