// SPDX-License-Identifier: Apache-2.0
// Upgrades and tunnels on connections of HTTP/1.
#include <gtest/gtest.h>

#include <string>

#include "upstream/client_connection.h"
#include "upstream/connection_pool_fixture.h"

namespace inlay::upstream {
namespace {

using testing::ConnectionPoolTest;
using testing::Exchange;
using testing::run_until;
using testing::TestServer;

constexpr std::string_view kAgree = "HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";

class UpgradeTest : public ConnectionPoolTest {
 protected:
  // The server answers when it is told to.
  UpgradeTest() { server_.on_bytes = nullptr; }
  void start(Exchange& e, UpstreamRequest::Kind kind = UpstreamRequest::Kind::kUpgrade) {
    const bool connect = kind == UpstreamRequest::Kind::kConnect;
    e.headers.add(":method", connect ? "CONNECT" : "GET");
    if (!connect) e.headers.add(":path", "/p");
    e.headers.add(":authority", "up:1");
    if (!connect) e.headers.add("connection", "upgrade");
    if (!connect) e.headers.add("upgrade", "x");
    ASSERT_EQ(e.request.start(pool(), e.headers, false, kind), UpstreamRequest::Started::kYes);
  }
  TestServer::Peer& peer() { return *server_.peers.at(0); }
  bool until_received(std::string_view end) {
    return run_until(loop_, [&] { return !server_.peers.empty() && peer().received.ends_with(end); });
  }
};

TEST_F(UpgradeTest, BytesGoBothWaysOnceTheServerHasAgreed) {
  Exchange e;
  start(e);
  e.send("early", false);
  ASSERT_TRUE(until_received("\r\n\r\n"));
  EXPECT_EQ(peer().received, "GET /p HTTP/1.1\r\nhost: up:1\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n");
  peer().send(std::string(kAgree) + "hi");
  ASSERT_TRUE(until_received("early"));
  EXPECT_EQ(e.status, "101");
  e.send("0\r\n\r\n", false);
  ASSERT_TRUE(until_received("early0\r\n\r\n"));
  peer().send(" there");
  ASSERT_TRUE(run_until(loop_, [&] { return e.body == "hi there"; }));
  EXPECT_FALSE(e.done);
}

TEST_F(UpgradeTest, WhatIsSentTooEarlyIsBounded) {
  clusters_[0].per_connection_buffer_limit_bytes = 10;
  make();
  Exchange e;
  start(e);
  ASSERT_TRUE(until_received("\r\n\r\n"));
  e.send("0123456789", false);
  EXPECT_EQ(e.above, 0);
  e.send("x", false);
  EXPECT_EQ(e.above, 1);
  peer().send(kAgree);
  ASSERT_TRUE(run_until(loop_, [&] { return e.below == 1; }));
  ASSERT_TRUE(until_received("0123456789x"));
}

TEST_F(UpgradeTest, AnAnswerThatDoesNotAgreeIsAMessageAndEndsTheConnection) {
  Exchange e;
  start(e);
  e.send("GET /other HTTP/1.1\r\n\r\n", false);
  ASSERT_TRUE(until_received("\r\n\r\n"));
  peer().send(testing::kOk);
  ASSERT_TRUE(finish(e));
  EXPECT_EQ(e.status + e.body, "200ok");
  ASSERT_TRUE(run_until(loop_, [&] { return peer().ended; }));
  EXPECT_TRUE(peer().received.ends_with("upgrade: x\r\n\r\n"));
}

TEST_F(UpgradeTest, TheServersEndIsTheEnd) {
  Exchange e;
  start(e);
  ASSERT_TRUE(until_received("\r\n\r\n"));
  peer().send(std::string(kAgree) + "bye");
  peer().close();
  ASSERT_TRUE(finish(e));
  EXPECT_EQ(e.body, "bye");
  EXPECT_EQ(e.reset, ResetReason::kConnectionTermination);
}

TEST_F(UpgradeTest, ItWaitsForWhoeverIsSlow) {
  Exchange e;
  start(e);
  ASSERT_TRUE(until_received("\r\n\r\n"));
  e.request.pause_response();
  peer().send(std::string(kAgree) + "bye");
  peer().close();
  for (int i = 0; i < 10; ++i) loop_.run_once(std::chrono::milliseconds(1));
  EXPECT_EQ(e.status, "");
  e.request.resume_response();
  ASSERT_TRUE(finish(e));
  EXPECT_EQ(e.status + e.body, "101bye");
  EXPECT_EQ(e.reset, ResetReason::kConnectionTermination);
}

TEST_F(UpgradeTest, WhatWasSentBeforeACancelArrives) {
  Exchange e;
  start(e);
  ASSERT_TRUE(until_received("\r\n\r\n"));
  peer().send(kAgree);
  ASSERT_TRUE(run_until(loop_, [&] { return e.status == "101"; }));
  e.send("last", false);
  e.request.cancel();
  ASSERT_TRUE(until_received("last"));
  ASSERT_TRUE(run_until(loop_, [&] { return peer().ended; }));
  EXPECT_EQ(stat("upstream_cx_active"), 0);
}

TEST_F(UpgradeTest, AnEndEndsOneSide) {
  Exchange e;
  start(e);
  ASSERT_TRUE(until_received("\r\n\r\n"));
  peer().send(kAgree);
  ASSERT_TRUE(run_until(loop_, [&] { return e.status == "101"; }));
  e.send("last", true);
  ASSERT_TRUE(run_until(loop_, [&] { return peer().ended; }));
  EXPECT_TRUE(peer().received.ends_with("last"));
  peer().send("answer");
  ASSERT_TRUE(run_until(loop_, [&] { return e.body == "answer"; }));
}

TEST_F(UpgradeTest, ATunnelBeginsWith200) {
  Exchange e;
  start(e, UpstreamRequest::Kind::kConnect);
  e.send("hello", false);
  ASSERT_TRUE(until_received("\r\n\r\n"));
  EXPECT_EQ(peer().received, "CONNECT up:1 HTTP/1.1\r\nhost: up:1\r\n\r\n");
  peer().send("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nhi");
  ASSERT_TRUE(until_received("hello"));
  EXPECT_EQ(e.status + e.body, "200hi");
  EXPECT_FALSE(e.response.has(http::HeaderId::kContentLength));
}

TEST_F(UpgradeTest, AConnectWithAPathIsNotSent) {
  Exchange e;
  e.headers.add(":path", "/");
  start(e, UpstreamRequest::Kind::kConnect);
  ASSERT_TRUE(finish(e));
  EXPECT_EQ(e.reset, ResetReason::kUnsendable);
  EXPECT_EQ(e.detail, "missing required header: :protocol");
}

}  // namespace
}  // namespace inlay::upstream
