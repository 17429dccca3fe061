// SPDX-License-Identifier: Apache-2.0
// TCP contexts on the fake host, alone and beside HTTP contexts under one root id.
#include <gtest/gtest.h>

#include "sdk/sdk.h"
#include "sdk/testing/fake_host.h"

namespace inlay::sdk {
namespace {

using testing::FakeConnection;
using testing::FakeHost;
using testing::FakeReply;
using testing::FakeStream;
using testing::FakeWorker;

class CountingRoot : public RootContext {
 public:
  std::string trace;
};

class TracingTcp : public TcpContext {
 public:
  explicit TracingTcp(CountingRoot& root) : root_(root) { root_.trace += "tcp "; }
  ~TracingTcp() override { root_.trace += "~tcp "; }
  Action on_new_connection() override { return note("new "); }
  Action on_downstream_data(size_t size, bool end) override {
    if (size < 3 && !end) return Action::kPause;
    (void)downstream_data().prepend("<");
    (void)downstream_data().append(">");
    return note("down ");
  }
  Action on_upstream_data(size_t size, bool) override {
    EXPECT_EQ(upstream_data().size().value_or(0), size);
    if (upstream_data().read()->view() == "bad") close();
    return note("up ");
  }
  void on_downstream_connection_close(PeerType by) override { note(by == PeerType::kRemote ? "remote " : "local "); }
  bool on_done() override {
    note("done ");
    return true;
  }
  void on_log() override { note("log "); }

 private:
  Action note(const char* what) {
    root_.trace += what;
    return Action::kContinue;
  }
  CountingRoot& root_;
};

class TracingHttp : public HttpContext {
 public:
  explicit TracingHttp(CountingRoot& root) : root_(root) { root_.trace += "http "; }
  ~TracingHttp() override { root_.trace += "~http "; }
  HeadersStatus on_request_headers(size_t, bool) override {
    root_.trace += "headers ";
    return HeadersStatus::kContinue;
  }

 private:
  CountingRoot& root_;
};

// Holds each connection until a service has answered.
class AskingTcp : public TcpContext {
 public:
  Action on_downstream_data(size_t, bool) override {
    if (!asked_) spawn(ask());
    asked_ = true;
    return Action::kPause;
  }

 private:
  Task<> ask() {
    co_await sleep(std::chrono::milliseconds(10));
    const Pair headers[] = {{":method", "GET"}, {":path", "/"}, {":authority", "a"}};
    const auto answer = co_await http_call({.cluster = "auth", .headers = headers}, std::chrono::seconds(1));
    if (!answer || answer->status != 200) co_return close();
    resume_downstream();
  }

  bool asked_ = false;
};

INLAY_REGISTER("tcp", CountingRoot, TracingTcp);
INLAY_REGISTER("both", CountingRoot, TracingHttp, TracingTcp);
INLAY_REGISTER("asking", RootContext, AskingTcp);

class TcpContextTest : public ::testing::Test {
 protected:
  FakeHost host_;
  FakeWorker& worker_ = host_.add_worker();
};

TEST_F(TcpContextTest, SeesChangesPausesAndEnds) {
  const ContextId root = worker_.start("tcp", "");
  FakeConnection& connection = worker_.connect(root);
  EXPECT_EQ(worker_.client_sends(connection, "a"), Action::kPause);
  EXPECT_EQ(connection.from_client, "a");
  EXPECT_EQ(worker_.client_sends(connection, "bc"), Action::kContinue);
  EXPECT_EQ(connection.to_server, "<abc>");
  EXPECT_EQ(worker_.server_sends(connection, "good"), Action::kContinue);
  EXPECT_EQ(connection.to_client, "good");
  EXPECT_FALSE(connection.closed);
  (void)worker_.server_sends(connection, "bad");
  EXPECT_TRUE(connection.closed);
  const ContextId id = connection.id;
  worker_.disconnect(connection);
  EXPECT_EQ(worker_.context<CountingRoot>(root)->trace, "tcp new down up up remote done log ~tcp ");
  EXPECT_EQ(worker_.context<TracingTcp>(id), nullptr);
}

TEST_F(TcpContextTest, OneRootIdMayServeBoth) {
  const ContextId root = worker_.start("both", "");
  FakeConnection& connection = worker_.connect(root);
  FakeStream& stream = worker_.open(root, {{":path", "/"}});
  (void)worker_.client_sends(connection, "abc");
  worker_.close(stream);
  worker_.disconnect(connection);
  EXPECT_EQ(worker_.context<CountingRoot>(root)->trace, "tcp new http headers down ~http remote done log ~tcp ");
}

TEST_F(TcpContextTest, ACallsAnswerLetsTheConnectionGoOnOrEndsIt) {
  uint32_t status = 200;
  host_.services["auth"] = [&](const auto&) { return FakeReply{.status = status}; };
  const ContextId root = worker_.start("asking", "");
  FakeConnection& allowed = worker_.connect(root);
  EXPECT_EQ(worker_.client_sends(allowed, "hello"), Action::kPause);
  host_.advance(std::chrono::milliseconds(100));
  EXPECT_EQ(allowed.to_server, "hello");
  status = 403;
  FakeConnection& refused = worker_.connect(root);
  (void)worker_.client_sends(refused, "hello");
  host_.advance(std::chrono::milliseconds(100));
  EXPECT_EQ(refused.to_server, "");
  EXPECT_TRUE(refused.closed);
}

}  // namespace
}  // namespace inlay::sdk
