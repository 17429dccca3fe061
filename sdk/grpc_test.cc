// SPDX-License-Identifier: Apache-2.0
// gRPC calls and streams as tasks.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "sdk/sdk.h"
#include "sdk/testing/fake_host.h"

namespace inlay::sdk {
namespace {

using namespace std::chrono_literals;
using testing::FakeGrpcCall;
using testing::FakeGrpcReply;
using testing::FakeHost;
using testing::FakeWorker;

// What the tasks have seen.
std::vector<std::string>& notes() {
  static std::vector<std::string> all;
  return all;
}
std::string note(const Result<GrpcReply>& reply) {
  if (!reply) return "error " + std::to_string(static_cast<uint32_t>(reply.error()));
  if (!reply->ok()) return std::to_string(reply->status) + " " + std::string(reply->status_message()->view());
  return std::string(reply->message()->view()) + " of " + std::to_string(reply->message_size);
}

class Root : public RootContext {
 public:
  bool on_configure(size_t) override {
    spawn(call());
    return true;
  }

 private:
  Task<> call() {
    co_await sleep(1s);
    const Pair metadata[] = {{"x-a", "1"}};
    notes().push_back(
        "root " +
        note(co_await grpc_call(
            {.target = "rpc", .service = "a.B", .method = "C", .message = "hi", .metadata = metadata}, 500ms)));
  }
};

class Http : public HttpContext {
 public:
  HeadersStatus on_request_headers(size_t, bool) override {
    const auto path = request_headers().get(":path");
    spawn(path && path->view() == "/stream" ? stream() : call());
    return HeadersStatus::kStopAllIterationAndWatermark;
  }

 private:
  Task<> call() {
    notes().push_back("http " + note(co_await grpc_call({.target = "rpc", .service = "a.B", .method = "C"}, 5s)));
    resume_request();
  }
  Task<> stream() {
    GrpcStream stream(*this);
    if (!stream.open({.target = "rpc", .service = "a.B", .method = "Watch"})) co_return notes().push_back("not open");
    (void)stream.send("one");
    (void)stream.send("two", true);
    for (;;) {
      const auto message = co_await stream.receive(1s);
      if (message) {
        notes().push_back("got " + std::string(message->view()));
        if (message->view() == "slow") co_await sleep(100ms);
      } else if (message.error() == Status::kEmpty) {
        notes().push_back("ended with " + std::to_string(stream.status()));
        resume_request();
        co_return;
      } else {
        notes().push_back("nothing yet");
      }
    }
  }
};
INLAY_REGISTER("grpc", Root, Http);

class GrpcTest : public ::testing::Test {
 protected:
  void SetUp() override { notes().clear(); }
  abi::ContextId start() {
    const abi::ContextId root = worker.start("grpc", "");
    host.advance(1ms);
    return root;
  }
  FakeHost host;
  FakeWorker& worker = host.add_worker();
};

TEST_F(GrpcTest, ACallOfARootContext) {
  host.grpc_services["rpc"] = [](const FakeGrpcCall&) { return FakeGrpcReply{.message = "yes", .delay_ms = 5}; };
  start();
  host.advance(2s);
  EXPECT_EQ(notes(), std::vector<std::string>{"root yes of 3"});
  const FakeGrpcCall& call = host.grpc_calls.at(0);
  EXPECT_EQ(call.service + "/" + call.method, "a.B/C");
  EXPECT_EQ(call.messages, std::vector<std::string>{"hi"});
  EXPECT_EQ(call.metadata, (testing::Headers{{"x-a", "1"}}));
  EXPECT_EQ(call.timeout_ms, 500u);
  EXPECT_FALSE(call.cancelled);
}

TEST_F(GrpcTest, AStatusIsAnAnswer) {
  host.grpc_services["rpc"] = [](const FakeGrpcCall&) { return FakeGrpcReply{.status = 7, .text = "no"}; };
  start();
  host.advance(2s);
  EXPECT_EQ(notes(), std::vector<std::string>{"root 7 no"});
}

TEST_F(GrpcTest, WhatCannotBeSentIsAnError) {
  start();
  host.advance(2s);
  EXPECT_EQ(notes(), std::vector<std::string>{"root error 4"});
  host.grpc_services["rpc"] = [](const FakeGrpcCall&) { return FakeGrpcReply{.refuse = true}; };
  worker.request(worker.start("grpc", ""), {{":path", "/"}});
  EXPECT_EQ(notes().back(), "http error 10");
}

TEST_F(GrpcTest, ANeverAnsweredCallIsGivenUpAndCancelled) {
  host.grpc_services["rpc"] = [](const FakeGrpcCall&) { return FakeGrpcReply{.silent = true}; };
  start();
  host.advance(10s);
  EXPECT_EQ(notes(), std::vector<std::string>{"root error 11"});
  EXPECT_TRUE(host.grpc_calls.at(0).cancelled);
}

TEST_F(GrpcTest, ACallEndsWithItsStream) {
  host.grpc_services["rpc"] = [](const FakeGrpcCall&) { return FakeGrpcReply{.message = "late", .delay_ms = 100}; };
  const abi::ContextId root = start();
  auto& gone = worker.open(root, {{":path", "/"}});
  auto& stays = worker.open(root, {{":path", "/"}});
  worker.close(gone);
  EXPECT_TRUE(host.grpc_calls.at(0).cancelled);
  host.advance(500ms);
  EXPECT_EQ(notes(), std::vector<std::string>{"http late of 4"});
  EXPECT_FALSE(stays.request_held);
}

TEST_F(GrpcTest, AStream) {
  host.grpc_services["rpc"] = [](const FakeGrpcCall&) { return FakeGrpcReply(); };
  auto& stream = worker.open(start(), {{":path", "/stream"}});
  const FakeGrpcCall& call = host.grpc_calls.at(0);
  EXPECT_TRUE(call.stream);
  EXPECT_EQ(call.messages, (std::vector<std::string>{"one", "two"}));
  EXPECT_TRUE(call.ended);
  worker.grpc_message(call.token, "slow");
  worker.grpc_message(call.token, "b");  // while the task does something else
  worker.grpc_message(call.token, "");
  host.advance(200ms);
  EXPECT_EQ(notes(), (std::vector<std::string>{"got slow", "got b", "got "}));
  EXPECT_TRUE(stream.request_held);
  host.advance(1200ms);
  EXPECT_EQ(std::count(notes().begin(), notes().end(), "nothing yet"), 1);
  notes().clear();
  worker.grpc_close(call.token, 5, "gone");
  EXPECT_EQ(notes(), std::vector<std::string>{"ended with 5"});
  EXPECT_FALSE(stream.request_held);
}

TEST_F(GrpcTest, AStreamEndsWithItsContext) {
  host.grpc_services["rpc"] = [](const FakeGrpcCall&) { return FakeGrpcReply(); };
  auto& stream = worker.open(start(), {{":path", "/stream"}});
  const uint32_t token = host.grpc_calls.at(0).token;
  worker.close(stream);
  EXPECT_TRUE(host.grpc_calls.at(0).cancelled);
  worker.grpc_message(token, "late");
  EXPECT_EQ(notes(), std::vector<std::string>{});
}

}  // namespace
}  // namespace inlay::sdk
