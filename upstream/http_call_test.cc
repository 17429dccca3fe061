// SPDX-License-Identifier: Apache-2.0
#include "upstream/http_call.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "upstream/call_stream.h"
#include "upstream/test_server.h"

namespace inlay::upstream {
namespace {

using namespace std::chrono_literals;
using testing::run_until;
using testing::TestServer;

class HttpCallTest : public ::testing::Test, public host::HttpCallHandler {
 protected:
  HttpCallTest() : server_(loop_), clusters_(3) {
    clusters_[0].name = "up";
    clusters_[0].endpoints.resize(1);
    clusters_[0].endpoints[0].address = server_.address();
    clusters_[1].name = "refused";
    clusters_[1].endpoints.resize(1);
    clusters_[1].endpoints[0].address = {"127.0.0.1", 1};
    clusters_[2].name = "empty";
    registry_ = std::make_unique<ClusterRegistry>(clusters_, store_,
                                                  [this](std::string_view line) { log_.emplace_back(line); });
    manager_ = std::make_unique<ClusterManager>(loop_, *registry_);
    calls_ = std::make_unique<HttpCalls>(loop_, *manager_, 1000);
    server_.on_bytes = [](TestServer::Peer& peer) { peer.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"); };
  }
  host::HttpCallRequest request(std::string cluster, host::Nanoseconds timeout = 0ns) {
    host::HttpCallRequest r;
    r.cluster = std::move(cluster);
    r.headers.add(":method", "GET");
    r.headers.add(":path", "/headers");
    r.headers.add(":authority", "tokens");
    r.timeout = timeout;
    return r;
  }
  void on_http_call_response(uint64_t id, host::HttpCallResponse response) override {
    answers_.emplace(id, std::move(response));
  }
  // Starts a call and waits for its answer.
  host::HttpCallResponse call(host::HttpCallRequest r) {
    const auto id = calls_->start_http_call(std::move(r), *this);
    EXPECT_TRUE(id);
    EXPECT_TRUE(answers_.empty()) << "never from inside of start_http_call";
    EXPECT_TRUE(run_until(loop_, [&] { return answers_.count(*id) == 1; }));
    auto node = answers_.extract(*id);
    EXPECT_EQ(calls_->active(), 0u);
    return std::move(node.mapped());
  }
  static std::string status(const host::HttpCallResponse& r) {
    return std::string(r.headers.get(":status").value_or(""));
  }

  net::EventLoop loop_;
  stats::MetricStore store_;
  TestServer server_;
  std::vector<config::Cluster> clusters_;
  std::unique_ptr<ClusterRegistry> registry_;
  std::unique_ptr<ClusterManager> manager_;
  std::unique_ptr<HttpCalls> calls_;
  std::map<uint64_t, host::HttpCallResponse> answers_;
  std::vector<std::string> log_;
};

TEST_F(HttpCallTest, AnAnswer) {
  const auto response = call(request("up", 1500ms));
  EXPECT_FALSE(response.reset);
  EXPECT_EQ(status(response), "200");
  EXPECT_EQ(response.body.to_string(), "ok");
  const std::string& sent = server_.peers[0]->received;
  EXPECT_TRUE(sent.starts_with("GET /headers HTTP/1.1\r\nhost: tokens\r\n")) << sent;
  EXPECT_NE(sent.find("x-envoy-internal: true\r\n"), std::string::npos);
  EXPECT_NE(sent.find("x-envoy-expected-rq-timeout-ms: 1500\r\n"), std::string::npos);
  EXPECT_EQ(sent.find("x-forwarded-for"), std::string::npos);
}

TEST_F(HttpCallTest, ABodyHasItsLength) {
  auto r = request("up");
  r.headers.set(":method", "POST");
  r.body = "grant_type=x";
  server_.on_bytes = [](TestServer::Peer& peer) {
    if (peer.received.ends_with("grant_type=x")) peer.send("HTTP/1.1 204 No Content\r\n\r\n");
  };
  EXPECT_EQ(status(call(std::move(r))), "204");
  EXPECT_NE(server_.peers[0]->received.find("content-length: 12\r\n"), std::string::npos);
}

TEST_F(HttpCallTest, AnAnswerHasTheTimeThatItTook) {
  server_.on_bytes = [](TestServer::Peer& peer) {
    peer.send("HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nx-envoy-upstream-service-time: x\r\n\r\n");
  };
  const auto response = call(request("up"));
  EXPECT_EQ(status(response), "204");
  EXPECT_FALSE(response.headers.get("content-length"));
  EXPECT_EQ(response.headers.count("x-envoy-upstream-service-time"), 1u);
  EXPECT_NE(response.headers.get("x-envoy-upstream-service-time"), "x");
}

// Nothing of it goes to the upstream.
TEST_F(HttpCallTest, HeadersThatCannotBeSentAreA503) {
  for (const auto& [name, value, fault] : std::vector<std::array<std::string, 3>>{
           {"x-bad", "1\r\nx-evil: 2", "invalid header value for: x-bad"},
           {"x y", "1", "invalid header name: x y"},
           {":path", "/a\r\nb", "invalid header value for: :path"},
           {":method", "GET /admin HTTP/1.1\r\n", "invalid header value for: :method"}}) {
    auto r = request("up");
    r.headers.set(name, value);
    const auto response = call(std::move(r));
    EXPECT_EQ(status(response), "503");
    EXPECT_EQ(response.body.to_string(), fault);
  }
  EXPECT_TRUE(server_.peers.empty());
}

TEST_F(HttpCallTest, NoClusterAndNoHostFailAtOnce) {
  EXPECT_EQ(calls_->start_http_call(request("nope"), *this).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(calls_->start_http_call(request("empty"), *this).error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpCallTest, ATimeoutIsA504) {
  server_.on_bytes = nullptr;
  const auto response = call(request("up", 20ms));
  EXPECT_EQ(status(response), "504");
  EXPECT_EQ(response.body.to_string(), "upstream request timeout");
  EXPECT_FALSE(response.reset);
}

TEST_F(HttpCallTest, ARefusedConnectionIsA503) {
  const auto response = call(request("refused"));
  EXPECT_EQ(status(response), "503");
  EXPECT_EQ(response.body.to_string(),
            "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure");
}

// Not the guest, and not with each call.
TEST_F(HttpCallTest, TheLogHasWhyThereIsNoConnection) {
  const auto start = loop_.now();
  size_t calls = 0;
  for (; calls < 20; ++calls) EXPECT_EQ(status(call(request("refused"))), "503");
  const auto seconds = static_cast<size_t>((loop_.now() - start) / 1'000'000'000);
  ASSERT_FALSE(log_.empty());
  EXPECT_EQ(log_[0], "cluster 'refused': a guest's call got no connection: delayed connect error: Connection refused");
  EXPECT_LE(log_.size(), seconds + 1);
}

TEST_F(HttpCallTest, AnOverflowIsA503) {
  clusters_[0].max_requests = 0;
  const auto response = call(request("up"));
  EXPECT_EQ(status(response), "503");
  EXPECT_EQ(response.headers.get("x-envoy-overloaded"), "true");
}

TEST_F(HttpCallTest, NotHttpIsA502) {
  server_.on_bytes = [](TestServer::Peer& peer) { peer.send("hello\r\n\r\n"); };
  EXPECT_EQ(status(call(request("up"))), "502");
}

TEST_F(HttpCallTest, ACloseInTheBodyIsAReset) {
  server_.on_bytes = [](TestServer::Peer& peer) {
    peer.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab");
    peer.close();
  };
  const auto response = call(request("up"));
  EXPECT_TRUE(response.reset);
  EXPECT_TRUE(response.headers.empty());
}

TEST_F(HttpCallTest, ATimeoutInTheBodyIsAReset) {
  server_.on_bytes = [](TestServer::Peer& peer) { peer.send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab"); };
  auto timeout = 30ms;  // on a busy machine it may be over before the head is there
  while (!call(request("up", timeout)).reset && timeout < 10s) timeout *= 2;
  EXPECT_LT(timeout, 10s);
}

TEST_F(HttpCallTest, ABodyThatIsTooLargeIsAReset) {
  server_.on_bytes = [](TestServer::Peer& peer) {
    peer.send("HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n" + std::string(1001, 'x'));
  };
  EXPECT_TRUE(call(request("up")).reset);
}

TEST_F(HttpCallTest, ACancelledCallIsNeverAnswered) {
  const auto cancelled = calls_->start_http_call(request("up"), *this);
  const auto kept = calls_->start_http_call(request("up"), *this);
  calls_->cancel_http_call(*cancelled);
  ASSERT_TRUE(run_until(loop_, [&] { return answers_.count(*kept) == 1; }));
  EXPECT_EQ(answers_.count(*cancelled), 0u);
  calls_->cancel_http_call(*kept);  // over: nothing happens
}

class CallStreamTest : public HttpCallTest, public host::CallStreamHandler {
 protected:
  void on_call_stream_headers(uint64_t, http::HeaderMap&, bool, std::string_view) override {}
  void on_call_stream_data(uint64_t, Buffer& data, bool) override { data.clear(); }
  void on_call_stream_trailers(uint64_t, http::HeaderMap&) override {}
  void on_call_stream_reset(uint64_t, std::string_view) override {}

  uint64_t open() {
    host::CallStreamRequest r;
    r.cluster = "up";
    r.headers.add(":method", "POST");
    r.headers.add(":path", "/a.B/C");
    r.headers.add(":authority", "rpc");
    return calls_->start_call_stream(std::move(r), *this).value();
  }
  bool send(uint64_t stream, size_t size, bool end = false) {
    Buffer data;
    data.append(std::string(size, 'x'));
    const bool taken = calls_->send_to_call_stream(stream, data, end);
    EXPECT_TRUE(data.empty());
    return taken;
  }
  size_t received() const {
    size_t bytes = 0;
    for (const auto& peer : server_.peers) bytes += peer->received.size();
    return bytes;
  }
};

// What waits for upstreams is bounded: for a stream, and for all that one guest has.
TEST_F(CallStreamTest, WhatWaitsIsBounded) {
  constexpr size_t kMessage = CallStream::kMostWaiting;
  server_.on_bytes = [](TestServer::Peer&) {};
  std::vector<uint64_t> streams;
  for (size_t i = 0; i * kMessage < CallStream::kMostWaitingOfAll; ++i) {
    streams.push_back(open());
    EXPECT_TRUE(send(streams.back(), kMessage));
    EXPECT_FALSE(send(streams.back(), 1));
  }
  streams.push_back(open());
  EXPECT_FALSE(send(streams.back(), 1));
  EXPECT_TRUE(send(streams[0], 0, true));  // its end has no bytes
  // Of one that is cancelled nothing waits.
  calls_->cancel_call_stream(streams[1]);
  EXPECT_TRUE(send(streams.back(), kMessage));
  EXPECT_FALSE(send(streams.back(), 1));
  ASSERT_TRUE(run_until(loop_, [&] { return received() > CallStream::kMostWaitingOfAll; }));
  EXPECT_TRUE(send(streams.back(), kMessage));
  ASSERT_TRUE(run_until(loop_, [&] { return received() > CallStream::kMostWaitingOfAll + kMessage; }));
  for (const uint64_t stream : streams) calls_->cancel_call_stream(stream);
  EXPECT_EQ(calls_->active(), 0u);
}

}  // namespace
}  // namespace inlay::upstream
