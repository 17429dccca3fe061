// SPDX-License-Identifier: Apache-2.0
// Http2Connection through its pool: a cluster of HTTP/2 whose one host is the other side's session.
#include "upstream/http2_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http2/session_fixture.h"
#include "upstream/connection_pool_fixture.h"

namespace inlay::upstream {
namespace {

using http2::ErrorCode;
using http2::testing::map_of;
using http2::testing::RecordingSink;
using http2::testing::RecordingStream;
using http2::testing::text_of;
using ::testing::ElementsAre;
using testing::Exchange;
using testing::run_until;
using testing::TestServer;

class Http2ConnectionTest : public testing::ConnectionPoolTest {
 protected:
  struct Host {
    RecordingSink sink;
    std::unique_ptr<http2::Session> session;
  };

  void configure(config::Cluster& config) override { config.http2.emplace(); }

  void SetUp() override {
    server_.on_bytes = [this](TestServer::Peer& peer) {
      Host& host = host_of(peer);
      Buffer data;
      data.append(std::exchange(peer.received, {}));
      host.session->receive(data);
      if (answers) {
        for (const auto& stream : host.sink.streams) {
          if (stream->saw("headers (end)") && !stream->saw("answered")) answer(host, *stream);
        }
      }
      flush();
    };
    ConnectionPoolTest::SetUp();
  }
  Host& host_of(TestServer::Peer& peer) {
    auto& host = hosts[&peer];
    if (!host) {
      host = std::make_unique<Host>();
      host->session = http2::Session::create(http2::Session::Kind::kServer, settings, host->sink);
      host->sink.session = host->session.get();
      host->sink.refuse = refuse;
    }
    return *host;
  }
  void answer(Host& host, RecordingStream& stream) {
    stream.events.emplace_back("answered");
    host.session->submit_response(stream, map_of({{":status", "200"}}), false);
    Buffer body;
    body.append("ok");
    host.session->send_data(stream, body, true);
  }
  // What the hosts have to say goes out.
  void flush() {
    for (auto& [peer, host] : hosts) {
      Buffer out;
      host->session->write(out, 1 << 24);
      if (!out.empty()) peer->send(out.to_string());
    }
  }
  Host& host(size_t i = 0) { return *hosts.at(server_.peers.at(i).get()); }
  bool served(size_t streams, size_t i = 0) {
    return run_until(loop_, [&] {
      return server_.peers.size() > i && hosts.contains(server_.peers[i].get()) &&
             host(i).sink.streams.size() >= streams;
    });
  }

  http2::Settings settings;
  bool answers = true;
  bool refuse = false;
  std::map<TestServer::Peer*, std::unique_ptr<Host>> hosts;
};

TEST_F(Http2ConnectionTest, RequestsShareOneConnection) {
  Exchange first, second, third;
  ASSERT_TRUE(first.start(pool()));
  ASSERT_TRUE(second.start(pool()));
  ASSERT_TRUE(finish(first) && finish(second));
  ASSERT_TRUE(third.start(pool()));
  ASSERT_TRUE(finish(third));
  for (Exchange* exchange : {&first, &second, &third}) {
    EXPECT_EQ(exchange->status, "200");
    EXPECT_EQ(exchange->body, "ok");
  }
  EXPECT_EQ(server_.peers.size(), 1u);
  EXPECT_EQ(stat("upstream_cx_http2_total"), 1);
  EXPECT_EQ(stat("upstream_cx_http1_total"), 0);
  EXPECT_EQ(stat("upstream_rq_active"), 0);
}

TEST_F(Http2ConnectionTest, ABodyThatComesBeforeTheConnectionIsSentWithItsTrailers) {
  answers = false;
  Exchange post;
  ASSERT_TRUE(post.start(pool(), "POST", false));
  post.send("hello", false);
  post.request.send_trailers(map_of({{"x-end", "1"}}));
  ASSERT_TRUE(served(1));
  ASSERT_TRUE(run_until(loop_, [&] { return host().sink.streams[0]->saw("trailers"); }));
  EXPECT_THAT(host().sink.streams[0]->events, ElementsAre("headers", "data hello", "trailers"));
}

TEST_F(Http2ConnectionTest, TrailersOfTheAnswerAreTold) {
  answers = false;
  Exchange get;
  ASSERT_TRUE(get.start(pool()));
  ASSERT_TRUE(served(1));
  host().session->submit_response(*host().sink.streams[0], map_of({{":status", "200"}}), false);
  host().session->send_trailers(*host().sink.streams[0], map_of({{"grpc-status", "5"}}));
  flush();
  ASSERT_TRUE(finish(get));
  EXPECT_EQ(get.trailers.get("grpc-status"), "5");
}

TEST_F(Http2ConnectionTest, AnAnswerBeforeTheRequestIsWholeEndsIt) {
  answers = false;
  Exchange post;
  ASSERT_TRUE(post.start(pool(), "POST", false));
  ASSERT_TRUE(served(1));
  host().session->submit_response(*host().sink.streams[0], map_of({{":status", "413"}}), true);
  flush();
  ASSERT_TRUE(finish(post));
  EXPECT_EQ(post.status, "413");
  post.send("more", true);  // goes nowhere
  ASSERT_TRUE(run_until(loop_, [&] { return !host().sink.streams[0]->open(); }));
  EXPECT_EQ(stat("upstream_rq_active"), 0);
  Exchange next;
  answers = true;
  ASSERT_TRUE(next.start(pool()) && finish(next));
  EXPECT_EQ(server_.peers.size(), 1u);
}

TEST_F(Http2ConnectionTest, ACancelledRequestLeavesTheOthersAlone) {
  answers = false;
  Exchange gone, stays;
  ASSERT_TRUE(gone.start(pool()));
  ASSERT_TRUE(stays.start(pool()));
  ASSERT_TRUE(served(2));
  gone.request.cancel();
  ASSERT_TRUE(run_until(loop_, [&] { return host().sink.streams[0]->saw("reset 8 by peer"); }));
  answer(host(), *host().sink.streams[1]);
  flush();
  ASSERT_TRUE(finish(stays));
  EXPECT_EQ(stays.status, "200");
  EXPECT_FALSE(gone.done);
  EXPECT_EQ(stat("upstream_cx_active"), 1);
}

TEST_F(Http2ConnectionTest, WhatThePeerResetsIsReset) {
  answers = false;
  Exchange get;
  ASSERT_TRUE(get.start(pool()));
  ASSERT_TRUE(served(1));
  host().session->reset(*host().sink.streams[0], ErrorCode::kInternalError);
  flush();
  ASSERT_TRUE(finish(get));
  EXPECT_EQ(get.reset, ResetReason::kRemoteReset);
  EXPECT_EQ(stat("upstream_cx_active"), 1);
}

TEST_F(Http2ConnectionTest, APeerThatTakesItForNoHttpResetsItAsAProtocolError) {
  answers = false;
  Exchange get;
  ASSERT_TRUE(get.start(pool()));
  ASSERT_TRUE(served(1));
  host().session->reset(*host().sink.streams[0], ErrorCode::kProtocolError);
  flush();
  ASSERT_TRUE(finish(get));
  EXPECT_EQ(get.reset, ResetReason::kProtocolError);
  EXPECT_EQ(stat("upstream_cx_protocol_error"), 0);
}

TEST_F(Http2ConnectionTest, ARequestWhoseSchemeAFilterHasRemovedHasOne) {
  for (const auto& [proto, scheme] : {std::pair{"https", "https"}, {"http", "http"}, {"", "http"}}) {
    Exchange get;
    get.headers.add(":method", "GET");
    get.headers.add(":path", "/");
    get.headers.add(":authority", "up");
    get.headers.add("x-forwarded-proto", proto);
    ASSERT_EQ(get.request.start(pool(), get.headers, true), UpstreamRequest::Started::kYes);
    ASSERT_TRUE(finish(get));
    EXPECT_EQ(get.status, "200");
    EXPECT_EQ(host().sink.streams.back()->headers.value(http::HeaderId::kScheme), scheme);
  }
}

TEST_F(Http2ConnectionTest, ALengthWithoutABodyIsNone) {
  Exchange get;
  get.headers.add(":method", "GET");
  get.headers.add(":path", "/");
  get.headers.add(":authority", "up");
  get.headers.add("content-length", "9");
  ASSERT_EQ(get.request.start(pool(), get.headers, true), UpstreamRequest::Started::kYes);
  ASSERT_TRUE(finish(get));
  EXPECT_EQ(get.status, "200");
  EXPECT_EQ(host().sink.streams.back()->headers.value(http::HeaderId::kContentLength), "0");
}

TEST_F(Http2ConnectionTest, ARefusedRequestIsSentOnceMoreIfItCanBe) {
  refuse = true;
  Exchange get, post;
  ASSERT_TRUE(post.start(pool(), "POST", false));
  ASSERT_TRUE(finish(post));
  EXPECT_EQ(post.reset, ResetReason::kRemoteRefused);
  ASSERT_TRUE(get.start(pool()));
  ASSERT_TRUE(finish(get));
  EXPECT_EQ(get.reset, ResetReason::kRemoteRefused);
  EXPECT_EQ(stat("upstream_rq_retry"), 1);
}

TEST_F(Http2ConnectionTest, AfterGoawayANewConnectionIsMade) {
  answers = false;
  Exchange open;
  ASSERT_TRUE(open.start(pool()));
  ASSERT_TRUE(served(1));
  host().session->shut_down();
  flush();
  ASSERT_TRUE(run_until(loop_, [&] { return pool().connections() == 1 && stat("upstream_cx_total") == 1; }));
  loop_.run_once(std::chrono::milliseconds(10));
  Exchange next;
  ASSERT_TRUE(next.start(pool()));
  ASSERT_TRUE(served(1, 1));
  answer(host(1), *host(1).sink.streams[0]);
  answer(host(0), *host(0).sink.streams[0]);
  flush();
  ASSERT_TRUE(finish(open) && finish(next));
  EXPECT_EQ(open.status, "200");
  EXPECT_EQ(next.status, "200");
  ASSERT_TRUE(run_until(loop_, [&] { return stat("upstream_cx_active") == 1; }));
}

TEST_F(Http2ConnectionTest, AConnectionThatBreaksResetsAllOfItsRequests) {
  answers = false;
  Exchange first, second;
  ASSERT_TRUE(first.start(pool()));
  ASSERT_TRUE(second.start(pool()));
  ASSERT_TRUE(served(2));
  server_.peers[0]->close();
  ASSERT_TRUE(finish(first) && finish(second));
  EXPECT_EQ(first.reset, ResetReason::kConnectionTermination);
  EXPECT_EQ(second.reset, ResetReason::kConnectionTermination);
  EXPECT_EQ(stat("upstream_cx_active"), 0);
  EXPECT_EQ(stat("upstream_cx_destroy_remote"), 1);
}

TEST_F(Http2ConnectionTest, APeerThatSpeaksHttp1IsAProtocolError) {
  server_.on_bytes = [](TestServer::Peer& peer) { peer.send("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"); };
  Exchange get;
  ASSERT_TRUE(get.start(pool()));
  ASSERT_TRUE(finish(get));
  EXPECT_EQ(get.reset, ResetReason::kProtocolError);
  EXPECT_FALSE(get.detail.empty());
  EXPECT_EQ(stat("upstream_cx_protocol_error"), 1);
  EXPECT_EQ(stat("upstream_cx_active"), 0);
}

TEST_F(Http2ConnectionTest, AndSoItIsIfTheConnectionEndsWithIt) {
  const int listener = listen_raw();
  make();
  Exchange get;
  ASSERT_TRUE(get.start(pool()));
  const int peer = accept(listener, nullptr, nullptr);
  ASSERT_GE(peer, 0);
  const std::string_view answer = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
  ASSERT_EQ(::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL), static_cast<ssize_t>(answer.size()));
  shutdown(peer, SHUT_WR);
  ASSERT_TRUE(finish(get));
  EXPECT_EQ(get.reset, ResetReason::kProtocolError);
  ::close(peer);
  ::close(listener);
}

TEST_F(Http2ConnectionTest, MoreRequestsThanThePeerTakesGetMoreConnections) {
  settings.max_concurrent_streams = 1;
  answers = false;
  Exchange first;
  ASSERT_TRUE(first.start(pool()));
  ASSERT_TRUE(served(1));
  Exchange second;
  ASSERT_TRUE(run_until(loop_, [&] { return stat("upstream_cx_active") == 1; }));
  loop_.run_once(std::chrono::milliseconds(10));
  ASSERT_TRUE(second.start(pool()));
  ASSERT_TRUE(served(1, 1));
  answer(host(0), *host(0).sink.streams[0]);
  answer(host(1), *host(1).sink.streams[0]);
  flush();
  ASSERT_TRUE(finish(first) && finish(second));
  EXPECT_EQ(stat("upstream_cx_http2_total"), 2);
}

TEST_F(Http2ConnectionTest, AConnectionHasAsManyRequestsAsItMayHave) {
  clusters_[0].max_requests_per_connection = 2;
  make();
  for (int i = 0; i < 5; ++i) {
    Exchange get;
    ASSERT_TRUE(get.start(pool()) && finish(get));
    EXPECT_EQ(get.status, "200");
  }
  EXPECT_EQ(stat("upstream_cx_total"), 3);
  EXPECT_EQ(stat("upstream_cx_max_requests"), 2);
}

TEST_F(Http2ConnectionTest, AnIdleConnectionIsClosed) {
  clusters_[0].idle_timeout = std::chrono::milliseconds(10);
  make();
  Exchange get;
  ASSERT_TRUE(get.start(pool()) && finish(get));
  ASSERT_TRUE(run_until(loop_, [&] { return stat("upstream_cx_active") == 0; }));
  EXPECT_EQ(stat("upstream_cx_idle_timeout"), 1);
  ASSERT_TRUE(run_until(loop_, [&] { return !host().sink.goaways.empty(); }));
  EXPECT_EQ(host().sink.goaways[0], ErrorCode::kNoError);
}

TEST_F(Http2ConnectionTest, APeerThatDoesNotAnswerPingIsGivenUp) {
  clusters_[0].http2->keepalive_interval = std::chrono::milliseconds(10);
  clusters_[0].http2->keepalive_timeout = std::chrono::milliseconds(10);
  make();
  answers = false;
  Exchange get;
  ASSERT_TRUE(get.start(pool()));
  ASSERT_TRUE(served(1));
  server_.on_bytes = [](TestServer::Peer&) {};
  ASSERT_TRUE(finish(get));
  EXPECT_EQ(get.reset, ResetReason::kConnectionTermination);
  EXPECT_EQ(get.detail, "the peer does not answer PING");
}

TEST_F(Http2ConnectionTest, APausedAnswerHoldsThePeerBackAndGoesOn) {
  clusters_[0].http2->initial_stream_window_size = 65'535;
  make();
  answers = false;
  Exchange get;
  ASSERT_TRUE(get.start(pool()));
  ASSERT_TRUE(served(1));
  get.request.pause_response();
  RecordingStream& stream = *host().sink.streams[0];
  host().session->submit_response(stream, map_of({{":status", "200"}}), false);
  Buffer body;
  body.append(std::string(200'000, 'x'));
  host().session->send_data(stream, body, true);
  flush();
  Exchange other;
  ASSERT_TRUE(other.start(pool()));
  ASSERT_TRUE(served(2));
  answer(host(), *host().sink.streams[1]);
  flush();
  ASSERT_TRUE(finish(other));
  EXPECT_EQ(get.body, "");
  EXPECT_EQ(stream.unsent(), 200'000u - 65'535);
  get.request.resume_response();
  ASSERT_TRUE(finish(get));
  EXPECT_EQ(get.body.size(), 200'000u);
}

TEST_F(Http2ConnectionTest, AnUploadThatThePeerDoesNotReadIsHeldBack) {
  settings.stream_window = 65'535;
  clusters_[0].per_connection_buffer_limit_bytes = 50'000;
  make();
  answers = false;
  Exchange post;
  ASSERT_TRUE(post.start(pool(), "POST", false));
  ASSERT_TRUE(served(1));
  host().session->pause(*host().sink.streams[0]);
  post.send(std::string(200'000, 'x'), false);
  EXPECT_EQ(post.above, 1);
  loop_.run_once(std::chrono::milliseconds(10));
  ASSERT_TRUE(host().session->resume(*host().sink.streams[0]));
  host().session->deliver_held();
  flush();
  ASSERT_TRUE(run_until(loop_, [&] { return post.below == 1; }));
}

TEST_F(Http2ConnectionTest, ADestroyedPoolLeavesItsRequestsAlone) {
  answers = false;
  Exchange get;
  ASSERT_TRUE(get.start(pool()));
  ASSERT_TRUE(served(1));
  manager_.reset();
  EXPECT_FALSE(get.request.active());
  EXPECT_FALSE(get.done);
}

TEST_F(Http2ConnectionTest, AHeadThatCannotBeSentIsRefused) {
  Exchange first;
  ASSERT_TRUE(first.start(pool()) && finish(first));
  Exchange bad;
  bad.headers.add(":method", "GET");
  bad.headers.add(":path", "/");
  bad.headers.add("x-a", "1\n2");
  bad.headers.spoil();
  ASSERT_EQ(bad.request.start(pool(), bad.headers, true), UpstreamRequest::Started::kYes);
  EXPECT_EQ(bad.reset, ResetReason::kUnsendable);
  EXPECT_EQ(bad.detail, "invalid header value for: x-a");
  EXPECT_EQ(stat("upstream_rq_active"), 0);
}

// RFC 8441 and RFC 9113, section 8.5.
TEST_F(Http2ConnectionTest, UpgradesAndTunnelsAreConnect) {
  using Kind = UpstreamRequest::Kind;
  answers = false;
  settings.allow_connect = true;
  Exchange upgrade, tunnel;
  for (const auto& [name, value] : {std::pair{":method", "GET"},
                                    {":path", "/p"},
                                    {":authority", "up"},
                                    {":scheme", "http"},
                                    {"connection", "upgrade"},
                                    {"upgrade", "x"}})
    upgrade.headers.add(name, value);
  for (const auto& [name, value] : {std::pair{":method", "CONNECT"}, {":authority", "up:1"}, {":scheme", "http"}})
    tunnel.headers.add(name, value);
  ASSERT_EQ(upgrade.request.start(pool(), upgrade.headers, false, Kind::kUpgrade), UpstreamRequest::Started::kYes);
  ASSERT_EQ(tunnel.request.start(pool(), tunnel.headers, false, Kind::kConnect), UpstreamRequest::Started::kYes);
  for (Exchange* exchange : {&upgrade, &tunnel}) exchange->send("early", false);
  ASSERT_TRUE(served(2) && run_until(loop_, [&] { return host().sink.streams[1]->saw("headers"); }));
  RecordingStream& first = *host().sink.streams[0];
  RecordingStream& second = *host().sink.streams[1];
  EXPECT_EQ(text_of(first.headers), ":method: CONNECT\n:path: /p\n:authority: up\n:scheme: http\n:protocol: x\n");
  EXPECT_EQ(text_of(second.headers), ":method: CONNECT\n:authority: up:1\n");
  EXPECT_EQ(first.body + second.body, "");  // which waits
  for (RecordingStream* stream : {&first, &second})
    host().session->submit_response(*stream, map_of({{":status", "200"}}), false);
  flush();
  ASSERT_TRUE(run_until(loop_, [&] { return first.body == "early" && second.body == "early"; }));
  EXPECT_EQ(upgrade.status + " " + tunnel.status, "101 200");
  EXPECT_EQ(upgrade.response.value(http::HeaderId::kUpgrade), "x");
  EXPECT_EQ(upgrade.headers.value(http::HeaderId::kMethod), "GET");  // as logs show it
}

TEST_F(Http2ConnectionTest, AnUpgradeThatIsNotAgreedToSendsNothing) {
  answers = false;
  settings.allow_connect = true;
  Exchange e;
  for (const auto& [name, value] : {std::pair{":method", "GET"},
                                    {":path", "/p"},
                                    {":authority", "up"},
                                    {"connection", "upgrade"},
                                    {"upgrade", "x"}})
    e.headers.add(name, value);
  ASSERT_EQ(e.request.start(pool(), e.headers, false, UpstreamRequest::Kind::kUpgrade), UpstreamRequest::Started::kYes);
  e.send("early", false);
  ASSERT_TRUE(served(1) && run_until(loop_, [&] { return host().sink.streams[0]->saw("headers"); }));
  RecordingStream& stream = *host().sink.streams[0];
  host().session->submit_response(stream, map_of({{":status", "404"}}), false);
  Buffer body;
  body.append("no");
  host().session->send_data(stream, body, true);
  flush();
  ASSERT_TRUE(finish(e));
  EXPECT_EQ(e.status + e.body, "404no");
  EXPECT_EQ(stream.body, "");
}

}  // namespace
}  // namespace inlay::upstream
