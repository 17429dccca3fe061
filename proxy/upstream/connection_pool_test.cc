// SPDX-License-Identifier: Apache-2.0
#include "proxy/upstream/connection_pool.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "proxy/net/socket_address.h"
#include "proxy/upstream/cluster_manager.h"
#include "proxy/upstream/test_server.h"

namespace inlay::proxy::upstream {
namespace {

using testing::run_until;
using testing::TestServer;
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

// A request and what came of it.
class Exchange final : public UpstreamHandler {
 public:
  Exchange() : request(*this) {}
  bool start(ConnectionPool& pool, std::string_view method = "GET", bool end = true) {
    headers.clear();
    headers.add(":method", method);
    headers.add(":path", "/p");
    headers.add(":authority", "up");
    headers.add(":scheme", "http");
    return request.start(pool, headers, end) == UpstreamRequest::Started::kYes;
  }
  void send(std::string_view text, bool end) {
    host::Buffer data;
    data.append(text);
    request.send_data(data, end);
  }

  host::HeaderMap& response_headers_storage() override { return response; }
  host::HeaderMap& response_trailers_storage() override { return trailers; }
  void on_upstream_informational() override { interim.emplace_back(response.value(host::HeaderId::kStatus)); }
  void on_upstream_headers(bool end) override {
    status = response.value(host::HeaderId::kStatus);
    done = end;
    if (cancel_on_headers) request.cancel();
  }
  void on_upstream_data(host::Buffer& data, bool end) override {
    body += data.to_string();
    data.clear();
    done = end;
  }
  void on_upstream_trailers() override { done = true; }
  void on_upstream_reset(ResetReason r, std::string_view d) override {
    reset = r;
    detail = d;
    done = true;
  }
  void on_upstream_above_watermark() override { ++above; }
  void on_upstream_below_watermark() override { ++below; }

  UpstreamRequest request;
  host::HeaderMap headers, response, trailers;
  std::string status, body, detail;
  std::optional<ResetReason> reset;
  bool done = false;
  bool cancel_on_headers = false;
  std::vector<std::string> interim;
  int above = 0, below = 0;
};

// Something to be done when the loop comes to its event.
class Trigger final : public net::IoHandler {
 public:
  Trigger(net::EventLoop& loop, std::function<void()> run)
      : loop_(loop), fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), run_(std::move(run)) {
    EXPECT_TRUE(loop_.watch(fd_, EPOLLIN, *this));
  }
  ~Trigger() {
    loop_.unwatch(fd_, *this);
    close(fd_);
  }
  void pull() const { EXPECT_EQ(eventfd_write(fd_, 1), 0); }
  void on_io(uint32_t) override { run_(); }

 private:
  net::EventLoop& loop_;
  int fd_;
  std::function<void()> run_;
};

class ConnectionPoolTest : public ::testing::Test {
 protected:
  ConnectionPoolTest() : server_(loop_) {
    server_.on_bytes = [](TestServer::Peer& peer) {
      if (peer.received.ends_with("\r\n\r\n")) {
        ++peer.requests;
        peer.send(kOk);
      }
    };
  }
  void SetUp() override {
    config::Cluster config;
    config.name = "c";
    config.endpoints.resize(1);
    config.endpoints[0].address = server_.address();
    configure(config);
    clusters_.push_back(config);
    make();
  }
  virtual void configure(config::Cluster&) {}
  void make() {
    manager_.reset();
    registry_ = std::make_unique<ClusterRegistry>(clusters_, store_, nullptr);
    manager_ = std::make_unique<ClusterManager>(loop_, *registry_);
  }
  ConnectionPool& pool() { return *manager_->at(0).choose_host(); }
  // A listener of which the loop knows nothing, as the cluster's endpoint from the next make() on.
  int listen_raw() {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = net::to_socket_address({"127.0.0.1", 0});
    EXPECT_EQ(bind(listener, address->get(), address->size), 0);
    EXPECT_EQ(listen(listener, 1), 0);
    clusters_[0].endpoints[0].address = net::local_address_of(listener);
    manager_.reset();
    return listener;
  }
  // And lets the loop see that the connection is quiet.
  bool finish(Exchange& e) {
    const bool done = run_until(loop_, [&] { return e.done; });
    loop_.run_once(std::chrono::milliseconds(0));
    return done;
  }
  int64_t stat(std::string_view name) {
    int64_t value = -1;
    store_.for_each([&](const host::MetricView& m) {
      if (m.name == "cluster.c." + std::string(name)) value = m.value;
    });
    return value;
  }

  net::EventLoop loop_;
  host::MetricStore store_;
  TestServer server_;
  std::vector<config::Cluster> clusters_;
  std::unique_ptr<ClusterRegistry> registry_;
  std::unique_ptr<ClusterManager> manager_;
};

TEST_F(ConnectionPoolTest, SendsARequestAndBringsTheResponseBack) {
  Exchange e;
  ASSERT_TRUE(e.start(pool()));
  ASSERT_TRUE(finish(e));
  EXPECT_EQ(e.status, "200");
  EXPECT_EQ(e.body, "ok");
  EXPECT_TRUE(server_.peers[0]->received.starts_with("GET /p HTTP/1.1\r\nhost: up\r\n")) << server_.peers[0]->received;
  EXPECT_FALSE(e.request.active());
  EXPECT_EQ(stat("upstream_rq_total"), 1);
  EXPECT_EQ(stat("upstream_rq_active"), 0);
  EXPECT_EQ(stat("upstream_cx_active"), 1);
}

TEST_F(ConnectionPoolTest, ReusesTheConnectionThatWasFreedLast) {
  Exchange a, b;
  ASSERT_TRUE(a.start(pool()) && b.start(pool()));
  ASSERT_TRUE(finish(a) && finish(b));
  EXPECT_EQ(server_.peers.size(), 2u);
  for (int i = 0; i < 3; ++i) {
    Exchange again;
    ASSERT_TRUE(again.start(pool()));
    ASSERT_TRUE(finish(again));
  }
  EXPECT_EQ(server_.peers.size(), 2u);
  const int busiest = std::max(server_.peers[0]->requests, server_.peers[1]->requests);
  EXPECT_EQ(busiest, 4);
}

// A connection whose answer is complete waits for a look of the loop: what came behind the answer meanwhile ends it,
// and is nobody's answer.
TEST_F(ConnectionPoolTest, LateBytesAnswerNobody) {
  server_.on_bytes = [&](TestServer::Peer& peer) {
    if (peer.requests++ > 0) return;
    peer.send(kOk);
  };
  Exchange first;
  ASSERT_TRUE(first.start(pool()));
  ASSERT_TRUE(run_until(loop_, [&] { return first.done; }));
  EXPECT_EQ(pool().idle_connections(), 1u);
  // A whole second answer, which leaves before the loop looks for events.
  server_.peers[0]->send("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil");
  server_.on_bytes = [](TestServer::Peer& peer) { peer.send(kOk); };
  Exchange second;
  ASSERT_TRUE(second.start(pool()));
  ASSERT_TRUE(finish(second));
  EXPECT_EQ(second.body, "ok");
  EXPECT_EQ(server_.peers.size(), 2u);
}

// An event without anything in it, while a request asks for the connection: the request waits for the next look, not
// for an event that may never come.
TEST_F(ConnectionPoolTest, AnEventWithoutBytesKeepsNoRequestWaiting) {
  const int listener = listen_raw();
  clusters_[0].max_connections = 1;
  make();
  Exchange first;
  ASSERT_TRUE(first.start(pool()));
  const int peer = accept(listener, nullptr, nullptr);
  char received[512];
  ASSERT_TRUE(run_until(loop_, [&] { return recv(peer, received, sizeof received, MSG_DONTWAIT) > 0; }));
  ASSERT_EQ(::send(peer, kOk.data(), kOk.size(), 0), static_cast<ssize_t>(kOk.size()));
  ASSERT_TRUE(finish(first));

  Exchange second;
  Trigger trigger(loop_, [&] { ASSERT_TRUE(second.start(pool())); });
  trigger.pull();                               // the first event of the turn,
  ASSERT_EQ(::send(peer, "!", 1, MSG_OOB), 1);  // and the second: urgent data, which nobody reads
  loop_.run_once(std::chrono::milliseconds(100));
  EXPECT_TRUE(second.request.active());
  ASSERT_TRUE(run_until(loop_, [&] { return recv(peer, received, sizeof received, MSG_DONTWAIT) > 0; })) << "it waits";
  ASSERT_EQ(::send(peer, kOk.data(), kOk.size(), 0), static_cast<ssize_t>(kOk.size()));
  ASSERT_TRUE(finish(second));
  EXPECT_EQ(second.body, "ok");
  close(peer);
  close(listener);
}

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

TEST_F(ConnectionPoolTest, AKeptAliveConnectionThatIsDeadCostsNoSafeRequest) {
  Exchange first;
  ASSERT_TRUE(first.start(pool()));
  ASSERT_TRUE(finish(first));
  // The second request reaches a connection whose server closes instead of answering.
  server_.on_bytes = [this](TestServer::Peer& peer) {
    if (&peer == server_.peers[0].get()) {
      peer.close();
    } else {
      peer.send(kOk);
    }
  };
  Exchange second;
  ASSERT_TRUE(second.start(pool()));
  ASSERT_TRUE(finish(second));
  EXPECT_EQ(second.status, "200");
  EXPECT_EQ(server_.peers.size(), 2u);
  EXPECT_EQ(stat("upstream_rq_retry"), 1);
}

TEST_F(ConnectionPoolTest, APostIsNotSentTwice) {
  Exchange first;
  ASSERT_TRUE(first.start(pool()));
  ASSERT_TRUE(finish(first));
  server_.on_bytes = [](TestServer::Peer& peer) { peer.close(); };
  Exchange second;
  ASSERT_TRUE(second.start(pool(), "POST"));
  ASSERT_TRUE(finish(second));
  EXPECT_EQ(second.reset, ResetReason::kConnectionTermination);
}

TEST_F(ConnectionPoolTest, ARefusedConnectionFailsAllThatWait) {
  clusters_[0].endpoints[0].address.port = 1;
  manager_.reset();
  make();
  Exchange a, b;
  ASSERT_TRUE(a.start(pool()) && b.start(pool()));
  ASSERT_TRUE(finish(a) && finish(b));
  EXPECT_EQ(a.reset, ResetReason::kConnectFailure);
  EXPECT_EQ(a.detail, "Connection refused");
  EXPECT_EQ(stat("upstream_rq_active"), 0);
  EXPECT_EQ(stat("upstream_cx_active"), 0);
}

TEST_F(ConnectionPoolTest, CancellingClosesTheConnection) {
  server_.on_bytes = [](TestServer::Peer&) {};
  Exchange e;
  ASSERT_TRUE(e.start(pool()));
  ASSERT_TRUE(run_until(loop_, [&] { return !server_.peers.empty() && !server_.peers[0]->received.empty(); }));
  e.request.cancel();
  ASSERT_TRUE(run_until(loop_, [&] { return server_.peers[0]->ended; }));
  EXPECT_EQ(pool().connections(), 0u);
  EXPECT_FALSE(e.done);
}

TEST_F(ConnectionPoolTest, CancellingInsideOfACallback) {
  Exchange e;
  e.cancel_on_headers = true;
  ASSERT_TRUE(e.start(pool()));
  ASSERT_TRUE(run_until(loop_, [&] { return !e.status.empty(); }));
  EXPECT_EQ(e.body, "");
  EXPECT_EQ(pool().connections(), 0u);
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

class LimitsTest : public ConnectionPoolTest {
 protected:
  void configure(config::Cluster& config) override {
    config.max_connections = 1;
    config.max_pending_requests = 1;
    config.max_requests_per_connection = 2;
  }
};

class IdleTest : public ConnectionPoolTest {
 protected:
  void configure(config::Cluster& config) override { config.idle_timeout = std::chrono::milliseconds(50); }
};

TEST_F(LimitsTest, ConnectionsPendingAndOverflow) {
  Exchange a, b, c;
  ASSERT_TRUE(a.start(pool()));
  EXPECT_FALSE(b.start(pool())) << "one may wait";
  EXPECT_EQ(stat("upstream_rq_pending_overflow"), 1);
  ASSERT_TRUE(finish(a));
  ASSERT_TRUE(b.start(pool()));
  ASSERT_TRUE(c.start(pool())) << "waits for the one connection";
  ASSERT_TRUE(finish(b) && finish(c));
  // Two requests, then a new connection.
  EXPECT_EQ(server_.peers.size(), 2u);
  EXPECT_EQ(stat("upstream_cx_max_requests"), 1);
}

TEST_F(IdleTest, ConnectionsAreClosed) {
  Exchange a;
  ASSERT_TRUE(a.start(pool()));
  ASSERT_TRUE(finish(a));
  EXPECT_EQ(pool().idle_connections(), 1u);
  ASSERT_TRUE(run_until(loop_, [&] { return server_.peers[0]->ended; }));
  EXPECT_EQ(stat("upstream_cx_idle_timeout"), 1);
  EXPECT_EQ(pool().connections(), 0u);
}

}  // namespace
}  // namespace inlay::proxy::upstream
