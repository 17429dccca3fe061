// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/tcp_tunnel.h"

#include <gtest/gtest.h>

#include <string_view>

#include "upstream/connection_pool_fixture.h"

namespace inlay::proxy::router {
namespace {

using upstream::ResetReason;
using upstream::testing::Exchange;
using upstream::testing::run_until;
using upstream::testing::TestServer;

class TcpTunnelTest : public upstream::testing::ConnectionPoolTest {
 protected:
  TcpTunnelTest() { server_.on_bytes = nullptr; }
  void send(TcpTunnel& tunnel, std::string_view text, bool end = false) {
    Buffer data;
    data.append(text);
    tunnel.send_data(data, end);
    EXPECT_TRUE(data.empty());
  }
  TestServer::Peer& peer() { return *server_.peers.at(0); }
  bool received(std::string_view text) {
    return run_until(loop_, [&] { return !server_.peers.empty() && peer().received == text; });
  }

  Exchange heard_;
  upstream::UpstreamHandler& handler_ = heard_;
};

TEST_F(TcpTunnelTest, BytesGoBothWaysAsTheyAre) {
  TcpTunnel tunnel(handler_);
  ASSERT_TRUE(tunnel.start(loop_, pool()));
  send(tunnel, "early");
  EXPECT_EQ(heard_.status, "");
  ASSERT_TRUE(received("early"));
  EXPECT_EQ(heard_.status, "200");
  peer().send("hello");
  ASSERT_TRUE(run_until(loop_, [&] { return heard_.body == "hello"; }));
  send(tunnel, " late", true);
  ASSERT_TRUE(received("early late"));
  ASSERT_TRUE(run_until(loop_, [&] { return peer().ended; }));
  peer().send(" again");
  peer().close();
  ASSERT_TRUE(run_until(loop_, [&] { return heard_.done; }));
  EXPECT_EQ(heard_.body, "hello again");
  EXPECT_FALSE(heard_.reset);
}

TEST_F(TcpTunnelTest, WhatComesBeforeTheConnectionIsBounded) {
  clusters_[0].per_connection_buffer_limit_bytes = 4;
  make();
  TcpTunnel tunnel(handler_);
  ASSERT_TRUE(tunnel.start(loop_, pool()));
  send(tunnel, "1234");
  EXPECT_EQ(heard_.above, 0);
  send(tunnel, "5");
  send(tunnel, "6");
  EXPECT_EQ(heard_.above, 1);
  ASSERT_TRUE(received("123456"));
  EXPECT_EQ(heard_.below, heard_.above);
}

TEST_F(TcpTunnelTest, TheClusterWaitsWhilePaused) {
  TcpTunnel tunnel(handler_);
  ASSERT_TRUE(tunnel.start(loop_, pool()));
  tunnel.pause_response();
  send(tunnel, "x");
  ASSERT_TRUE(received("x"));
  peer().send("hello");
  for (int i = 0; i < 10; ++i) loop_.run_once(std::chrono::milliseconds(1));
  EXPECT_EQ(heard_.body, "");
  tunnel.resume_response();
  ASSERT_TRUE(run_until(loop_, [&] { return heard_.body == "hello"; }));
}

TEST_F(TcpTunnelTest, ACloseSendsWhatWasSent) {
  TcpTunnel tunnel(handler_);
  ASSERT_TRUE(tunnel.start(loop_, pool()));
  ASSERT_TRUE(run_until(loop_, [&] { return heard_.status == "200"; }));
  send(tunnel, "last");
  tunnel.close();
  ASSERT_TRUE(received("last"));
  ASSERT_TRUE(run_until(loop_, [&] { return peer().ended; }));
  EXPECT_FALSE(heard_.done);
  EXPECT_EQ(stat("upstream_cx_active"), 0);
}

TEST_F(TcpTunnelTest, AServerThatRefusesIsAFailure) {
  clusters_[0].endpoints[0].address.port = 1;
  make();
  TcpTunnel tunnel(handler_);
  ASSERT_TRUE(tunnel.start(loop_, pool()));
  ASSERT_TRUE(run_until(loop_, [&] { return heard_.done; }));
  EXPECT_EQ(heard_.reset, ResetReason::kConnectFailure);
}

TEST_F(TcpTunnelTest, NoMoreThanTheBreakerAllows) {
  clusters_[0].max_connections = 1;
  make();
  TcpTunnel first(handler_), second(handler_);
  ASSERT_TRUE(first.start(loop_, pool()));
  EXPECT_FALSE(second.start(loop_, pool()));
  send(second, "goes nowhere");
  second.pause_response();
  second.resume_response();
  second.close();
  EXPECT_EQ(stat("upstream_cx_overflow"), 1);
}

}  // namespace
}  // namespace inlay::proxy::router
