// SPDX-License-Identifier: Apache-2.0
// How requests are framed and answers read, on connections of a pool.
#include "upstream/client_connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "upstream/connection_pool_fixture.h"

namespace inlay::upstream {
namespace {

using testing::ConnectionPoolTest;
using testing::Exchange;
using testing::kOk;
using testing::run_until;
using testing::TestServer;

TEST_F(ConnectionPoolTest, AnAnswerBeforeTheRequestIsAnError) {
  const int listener = listen_raw();
  make();
  Exchange e;
  ASSERT_TRUE(e.start(pool()));
  // Accepted and spoken to before the loop looks: that it is connected and that there are bytes is one event.
  const int peer = accept(listener, nullptr, nullptr);
  ASSERT_GE(peer, 0);
  ASSERT_EQ(send(peer, kOk.data(), kOk.size(), 0), static_cast<ssize_t>(kOk.size()));
  EXPECT_TRUE(finish(e));
  EXPECT_EQ(e.reset, ResetReason::kProtocolError);
  close(peer);
  close(listener);
}

TEST_F(ConnectionPoolTest, BodiesAreFramed) {
  std::string end;
  server_.on_bytes = [&](TestServer::Peer& peer) {
    if (peer.received.ends_with(end)) peer.send(kOk);
  };
  Exchange chunked;
  end = "0\r\n\r\n";
  ASSERT_TRUE(chunked.start(pool(), "POST", false));
  chunked.send("hello", false);
  chunked.send(" world", true);
  ASSERT_TRUE(finish(chunked));
  EXPECT_NE(server_.peers[0]->received.find("transfer-encoding: chunked\r\n"), std::string::npos);

  Exchange fixed;
  end = "four";
  ASSERT_TRUE(fixed.start(pool(), "POST", false));
  fixed.request.cancel();
  fixed.headers.add("content-length", "4");
  ASSERT_EQ(fixed.request.start(pool(), fixed.headers, false), UpstreamRequest::Started::kYes);
  fixed.send("four", true);
  ASSERT_TRUE(finish(fixed));
  EXPECT_EQ(fixed.status, "200");
  EXPECT_TRUE(server_.peers.back()->received.ends_with("\r\n\r\nfour"));
}

TEST_F(ConnectionPoolTest, ABodyThatIsNotAsLongAsItSaysIsReset) {
  for (const std::string_view body : {"five!", "abc"}) {
    Exchange e;
    ASSERT_TRUE(e.start(pool(), "POST", false));
    e.request.cancel();
    e.headers.add("content-length", "4");
    ASSERT_EQ(e.request.start(pool(), e.headers, false), UpstreamRequest::Started::kYes);
    e.send(body, true);
    ASSERT_TRUE(finish(e));
    EXPECT_EQ(e.reset, ResetReason::kLocalReset);
  }
}

// As Envoy 1.40.
TEST_F(ConnectionPoolTest, ARequestWithoutABodySaysSoWhereItsMethodMayHaveOne) {
  for (const std::string method : {"POST", "PUT", "OPTIONS", "GET", "HEAD", "DELETE"}) {
    const size_t before = server_.peers.empty() ? 0 : server_.peers[0]->received.size();
    Exchange e;
    ASSERT_TRUE(e.start(pool(), method, true));
    ASSERT_TRUE(finish(e));
    const bool says = server_.peers[0]->received.find("content-length: 0\r\n", before) != std::string::npos;
    EXPECT_EQ(says, method == "POST" || method == "PUT" || method == "OPTIONS") << method;
  }
}

// A guest may still edit the request while it waits for a connection.
TEST_F(ConnectionPoolTest, AHeadIsLookedAtWhenItIsSent) {
  Exchange bad, without_path, good;
  for (Exchange* e : {&bad, &without_path, &good}) ASSERT_TRUE(e->start(pool()));
  bad.headers.add("x-bad", "1\r\nx-evil: 2");
  bad.headers.spoil();
  without_path.headers.remove(":path");
  good.headers.add("x-late", "1");
  for (Exchange* e : {&bad, &without_path, &good}) ASSERT_TRUE(finish(*e));
  EXPECT_EQ(bad.reset, ResetReason::kUnsendable);
  EXPECT_EQ(bad.detail, "invalid header value for: x-bad");
  EXPECT_EQ(without_path.reset, ResetReason::kUnsendable);
  EXPECT_EQ(without_path.detail, "missing required header: :path");
  EXPECT_EQ(good.status, "200");
  EXPECT_EQ(stat("upstream_rq_tx_reset"), 2);
  EXPECT_EQ(stat("upstream_rq_rx_reset"), 0);
  std::string received;
  for (const auto& peer : server_.peers) received += peer->received;
  EXPECT_EQ(received, "GET /p HTTP/1.1\r\nhost: up\r\nx-late: 1\r\n\r\n");
}

// As in Envoy 1.40, whatever comes in one read.
TEST_F(ConnectionPoolTest, ABodysEndComesByItself) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = head + "transfer-encoding: chunked\r\n\r\n";
  const std::pair<std::string, std::vector<std::string>> answers[] = {
      {head + "content-length: 2\r\n\r\nok", {"ok", "(end)"}},
      {chunked + "2\r\nok\r\n1\r\n!\r\n0\r\n\r\n", {"ok!", "(end)"}},
      {chunked + "0\r\n\r\n", {"(end)"}},
      {chunked + "2\r\nok\r\n0\r\nx-t: 1\r\n\r\n", {"ok", "(end)"}},  // trailers are not enabled
      {head + "content-length: 0\r\n\r\n", {}},
  };
  for (const auto& [answer, pieces] : answers) {
    server_.on_bytes = [&answer](TestServer::Peer& peer) { peer.send(answer); };
    Exchange e;
    ASSERT_TRUE(e.start(pool()));
    ASSERT_TRUE(finish(e));
    EXPECT_EQ(e.pieces, pieces) << answer;
  }
}

TEST_F(ConnectionPoolTest, HeadHasNoBodyWhateverTheHeadersSay) {
  server_.on_bytes = [](TestServer::Peer& peer) { peer.send("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n"); };
  Exchange e;
  ASSERT_TRUE(e.start(pool(), "HEAD"));
  ASSERT_TRUE(finish(e));
  EXPECT_EQ(e.response.get("content-length"), "99");
  EXPECT_EQ(pool().idle_connections(), 1u);
}

TEST_F(ConnectionPoolTest, ContinueChunksAndTrailers) {
  clusters_[0].enable_trailers = true;
  make();
  server_.on_bytes = [](TestServer::Peer& peer) {
    peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    peer.send("3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n");
  };
  Exchange e;
  ASSERT_TRUE(e.start(pool()));
  ASSERT_TRUE(finish(e));
  EXPECT_EQ(e.interim, std::vector<std::string>{"100"});
  EXPECT_EQ(e.body, "abc");
  EXPECT_EQ(e.trailers.get("x-sum"), "7");
  EXPECT_EQ(pool().idle_connections(), 1u);
}

TEST_F(ConnectionPoolTest, TrailersAreDroppedUnlessTheClusterEnablesThem) {
  server_.on_bytes = [](TestServer::Peer& peer) {
    peer.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n");
  };
  Exchange e;
  ASSERT_TRUE(e.start(pool()));
  ASSERT_TRUE(finish(e));
  EXPECT_EQ(e.body, "abc");
  EXPECT_EQ(e.trailers.size(), 0u);
}

TEST_F(ConnectionPoolTest, ABodyMayEndWithTheConnection) {
  server_.on_bytes = [](TestServer::Peer& peer) {
    peer.send("HTTP/1.1 200 OK\r\n\r\nuntil the end");
    peer.close();
  };
  Exchange e;
  ASSERT_TRUE(e.start(pool()));
  ASSERT_TRUE(finish(e));
  EXPECT_EQ(e.body, "until the end");
  EXPECT_FALSE(e.reset);
  EXPECT_EQ(pool().connections(), 0u);
}

// As in Envoy.
TEST_F(ConnectionPoolTest, ACloseBeforeTheAnswerIsATerminationAndInsideOfItAProtocolError) {
  for (const char* answer : {"", "HTTP/1.1 200 OK\r\nconte", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab"}) {
    server_.on_bytes = [&](TestServer::Peer& peer) {
      peer.send(answer);
      peer.close();
    };
    Exchange e;
    ASSERT_TRUE(e.start(pool()));
    ASSERT_TRUE(finish(e));
    EXPECT_EQ(e.reset, *answer == 0 ? ResetReason::kConnectionTermination : ResetReason::kProtocolError) << answer;
  }
  EXPECT_EQ(stat("upstream_cx_protocol_error"), 2);
}

TEST_F(ConnectionPoolTest, GarbageIsAProtocolError) {
  server_.on_bytes = [](TestServer::Peer& peer) { peer.send("SSH-2.0-x\r\n\r\n"); };
  Exchange e;
  ASSERT_TRUE(e.start(pool()));
  ASSERT_TRUE(finish(e));
  EXPECT_EQ(e.reset, ResetReason::kProtocolError);
}

TEST_F(ConnectionPoolTest, AnEarlyAnswerEndsTheRequest) {
  server_.on_bytes = [](TestServer::Peer& peer) {
    if (peer.requests++ == 0) peer.send("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n");
  };
  Exchange e;
  ASSERT_TRUE(e.start(pool(), "POST", false));
  ASSERT_TRUE(finish(e));
  EXPECT_EQ(e.status, "413");
  e.send("more", true);  // goes nowhere
  EXPECT_EQ(pool().connections(), 0u);
}

TEST_F(ConnectionPoolTest, BackPressureBothWays) {
  server_.on_bytes = [](TestServer::Peer& peer) { peer.pause(); };
  Exchange e;
  ASSERT_TRUE(e.start(pool(), "POST", false));
  const std::string block(256 * 1024, 'x');
  ASSERT_TRUE(run_until(loop_, [&] {
    if (e.above == 0) e.send(block, false);
    return e.above == 1;
  }));
  EXPECT_EQ(e.below, 0);
  server_.on_bytes = [](TestServer::Peer& peer) { peer.received.clear(); };
  server_.peers[0]->resume();
  EXPECT_TRUE(run_until(loop_, [&] { return e.below == 1; }));

  server_.on_bytes = [](TestServer::Peer& peer) {
    if (peer.received.ends_with("\r\n\r\n")) peer.send("HTTP/1.1 200 OK\r\n\r\nall of it");
    peer.close();
  };
  Exchange paused;
  ASSERT_TRUE(paused.start(pool()));
  paused.request.pause_response();
  ASSERT_TRUE(run_until(loop_, [&] { return server_.peers.size() == 2 && server_.peers[1]->requests == 0; }));
  EXPECT_FALSE(paused.done);
  paused.request.resume_response();
  ASSERT_TRUE(finish(paused));
  EXPECT_EQ(paused.body, "all of it");
}

}  // namespace
}  // namespace inlay::upstream
