// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests of streams' tasks: a filter whose streams ask a service before they go on, each by the plan that its
// request names, and a host for it. stream_task_test.cc registers the filter.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sdk/sdk.h"
#include "sdk/testing/fake_host.h"

namespace inlay::sdk::testing {

using Notes = std::vector<std::string>;
struct Trace {
  Notes notes;
  int alive = 0;  // frames of tasks
};
inline Trace* trace = nullptr;

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
  void on_queue_ready(uint32_t id) override {
    const SharedQueue queue(id);
    while (const auto word = queue.dequeue()) last_word = word->view();
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

}  // namespace inlay::sdk::testing
