// SPDX-License-Identifier: Apache-2.0
// Tasks of streams: each acts on its own stream, and ends with it.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sdk/sdk.h"
#include "sdk/testing/fake_host.h"

namespace inlay::sdk {
namespace {

using testing::FakeCall;
using testing::FakeConnection;
using testing::FakeHost;
using testing::FakeReply;
using testing::FakeStream;
using testing::FakeWorker;

using Notes = std::vector<std::string>;
struct Trace {
  Notes notes;
  int alive = 0;  // frames of tasks
};
Trace* trace = nullptr;

struct Witness {
  Witness() { ++trace->alive; }
  ~Witness() { --trace->alive; }
};

class GateRoot : public RootContext {
 public:
  bool on_configure(size_t) override {
    queue_ = SharedQueue::open("words").has_value();
    return true;
  }
  void on_queue_ready(uint32_t) override {
    const auto queue = SharedQueue::find("", "words");
    while (const auto word = queue->dequeue()) last_word = word->view();
    word_came.notify();
  }
  void on_http_call_response(uint32_t call_id, size_t, size_t, size_t) override {
    trace->notes.push_back("root hears of " + std::to_string(call_id));
  }
  // A helper that streams' tasks await.
  Task<uint32_t> ask(std::string user) {
    const Witness witness;
    const Pair headers[] = {{":method", "GET"}, {":path", "/check"}, {":authority", "auth"}, {"user", user}};
    const auto answer = co_await http_call({.cluster = "auth", .headers = headers}, 1s);
    co_return answer ? answer->status : 0;
  }

  Event word_came;
  Event stream_came;
  std::string last_word;
  bool queue_ = false;
};

class GateRequest;
using Plan = Task<> (GateRequest::*)();

class GateRequest : public HttpContext {
 public:
  explicit GateRequest(GateRoot& root) : root_(root) {
    // What is effective within a constructor is the new stream, also after others have been told something.
    root_.stream_came.notify();
    if (const auto user = request_headers().get("user")) user_ = user->view();
  }
  ~GateRequest() override { trace->notes.push_back("~" + user_); }

  HeadersStatus on_request_headers(size_t, bool) override {
    const auto plan = request_headers().get("plan");
    const std::string_view name = plan ? plan->view() : std::string_view("check");
    if (name == "body") return HeadersStatus::kContinue;
    if (name == "two") {
      spawn(one_of_two());
      spawn(one_of_two());
      return HeadersStatus::kStopAllIterationAndWatermark;
    }
    if (name == "response") return HeadersStatus::kContinue;
    const std::pair<std::string_view, Plan> plans[] = {
        {"check", &GateRequest::check},  {"helper", &GateRequest::helper}, {"twice", &GateRequest::twice},
        {"sleep", &GateRequest::sleepy}, {"word", &GateRequest::word},     {"deny all", &GateRequest::deny_all},
        {"next", &GateRequest::next},    {"eager", &GateRequest::eager},   {"hasty", &GateRequest::hasty}};
    for (const auto& [known, member] : plans)
      if (known == name) spawn((this->*member)());
    return HeadersStatus::kStopAllIterationAndWatermark;
  }
  DataStatus on_request_body(size_t, bool end_of_stream) override {
    if (end_of_stream) spawn(check());
    return DataStatus::kStopIterationAndBuffer;
  }
  HeadersStatus on_response_headers(size_t, bool) override {
    const auto plan = request_headers().get("plan");
    if (!plan || plan->view() != "response") return HeadersStatus::kContinue;
    spawn(check_response());
    return HeadersStatus::kStopAllIterationAndWatermark;
  }
  void on_log() override {
    reply(500);
    close();
    EXPECT_FALSE(resume_request());
    EXPECT_FALSE(resume_response());
  }

 private:
  Task<> check() {
    const Witness witness;
    const Pair headers[] = {{":method", "GET"}, {":path", "/check"}, {":authority", "auth"}, {"user", user_}};
    const auto answer = co_await http_call({.cluster = "auth", .headers = headers}, 1s);
    const auto whose = request_headers().get("user");
    trace->notes.push_back(user_ + " goes on as " + std::string(whose ? whose->view() : "nobody"));
    if (!answer || answer->status != 200) co_return reply(403, "no\n");
    (void)request_headers().set("checked", user_);
    resume_request();
  }
  Task<> helper() {
    const uint32_t status = co_await root_.ask(user_);
    if (status != 200) co_return reply(403);
    (void)request_headers().set("checked", user_);
    resume_request();
  }
  Task<> twice() {
    const Witness witness;
    for (int i = 0; i < 2; ++i) {
      const uint32_t status = co_await root_.ask(user_ + std::to_string(i));
      if (status != 200) co_return reply(403);
    }
    resume_request();
  }
  Task<> one_of_two() {
    const Witness witness;
    const uint32_t status = co_await root_.ask(user_);
    if (status != 200) co_return reply(403);
    if (++agreed_ == 2) resume_request();
  }
  Task<> deny_all() {
    spawn(deny());
    spawn(deny());
    co_return;
  }
  Task<> deny() {
    (void)co_await root_.ask(user_);
    reply(403);
    EXPECT_FALSE(resume_request());
    EXPECT_FALSE(resume_response());
  }
  Task<> sleepy() {
    const Witness witness;
    co_await sleep(20ms);
    (void)request_headers().set("checked", user_);
    resume_request();
    EXPECT_FALSE(resume_request()) << "it goes on once";
    EXPECT_FALSE(resume_response()) << "there is none";
  }
  Task<> word() {
    const Witness witness;
    if (!co_await root_.word_came.wait(100ms)) co_return reply(504);
    (void)request_headers().set("word", root_.last_word);
    resume_request();
  }
  Task<> next() {
    const Witness witness;
    (void)co_await root_.stream_came.wait();
    (void)request_headers().set("next", user_);
    resume_request();
  }
  Task<> eager() {
    EXPECT_TRUE(resume_request());
    EXPECT_FALSE(resume_response());
    co_return;
  }
  Task<> hasty() {
    EXPECT_TRUE(resume_request());
    reply(401);
    EXPECT_FALSE(resume_request());
    co_return;
  }
  Task<> check_response() {
    const Witness witness;
    const uint32_t status = co_await root_.ask(user_);
    if (status != 200) co_return reply(502);
    (void)response_headers().set("checked", user_);
    EXPECT_FALSE(resume_request());
    EXPECT_TRUE(resume_response());
  }

  GateRoot& root_;
  std::string user_;
  int agreed_ = 0;
};

class GateConnection : public TcpContext {
 public:
  explicit GateConnection(GateRoot& root) { root.stream_came.notify(); }
  Action on_downstream_data(size_t, bool) override {
    if (!asked_) spawn(check());
    asked_ = true;
    return checked_ ? Action::kContinue : Action::kPause;
  }
  Action on_upstream_data(size_t, bool) override {
    spawn(later());
    return Action::kPause;
  }

 private:
  Task<> check() {
    const Witness witness;
    std::string user(downstream_data().read()->view());
    const Pair headers[] = {{":method", "GET"}, {":path", "/"}, {":authority", "auth"}, {"user", user}};
    const auto answer = co_await http_call({.cluster = "auth", .headers = headers}, 1s);
    if (!answer || answer->status != 200) co_return close();
    checked_ = true;
    (void)downstream_data().prepend("checked ");
    resume_downstream();
  }
  Task<> later() {
    co_await sleep(5ms);
    trace->notes.push_back(resume_upstream() ? "upstream goes on" : "upstream waits");
  }
  bool asked_ = false;
  bool checked_ = false;
};

INLAY_REGISTER("gate", GateRoot, GateRequest, GateConnection);

class StreamTask : public ::testing::Test {
 protected:
  StreamTask() {
    trace = &trace_;
    host_.services["auth"] = [this](const FakeCall& call) {
      const std::string user = call.header("user");
      return FakeReply{.status = user.starts_with("admin") ? 200u : 403u,
                       .delay_ms = delay_ms_,
                       .refuse = user == "unsendable",
                       .reset = user == "reset"};
    };
  }
  ~StreamTask() override {
    EXPECT_EQ(host_.misuses, Notes{});
    worker_.kill();
    EXPECT_EQ(trace_.alive, 0) << "a task has outlived its stream";
  }
  FakeStream& open(std::string user, std::string plan = "check") {
    return worker_.open(root_, {{":path", "/"}, {"user", std::move(user)}, {"plan", std::move(plan)}});
  }

  Trace trace_;
  FakeHost host_;
  uint64_t delay_ms_ = 100;
  FakeWorker& worker_ = host_.add_worker();
  const ContextId root_ = worker_.start("gate", "");
};

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
    (void)request_headers().set("before", "1");
    EXPECT_TRUE(worker_.context<GateRequest>(stream.id)->resume_request());
    (void)request_headers().set("after", "1");
    if (const EffectiveScope scope(*worker_.context<GateRequest>(stream.id)); scope)
      (void)request_headers().set("scoped", "1");
    worker_.context<GateRequest>(other.id)->reply(418);
  });
  EXPECT_EQ(stream.continued, 1u);
  EXPECT_EQ(stream.header("scoped"), "1");
  EXPECT_EQ(other.header("before") + other.header("after") + other.header("scoped"), "11");
  EXPECT_EQ(other.reply_status, 418u);
}

TEST_F(StreamTask, BodyWaitsFromItsFirstPieceOn) {
  FakeStream& stream = worker_.open(root_, {{"user", "admin"}, {"plan", "body"}}, false);
  EXPECT_EQ(stream.status, HeadersStatus::kContinue);
  EXPECT_EQ(worker_.send_body(stream, "ab", false), DataStatus::kStopIterationAndBuffer);
  EXPECT_EQ(worker_.send_body(stream, "", true), DataStatus::kStopIterationAndBuffer);
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
