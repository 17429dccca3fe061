// SPDX-License-Identifier: Apache-2.0
#include "upstream/connection_pool.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>

#include "upstream/connection_pool_fixture.h"

namespace inlay::upstream {
namespace {

using testing::ConnectionPoolTest;
using testing::Exchange;
using testing::kOk;
using testing::run_until;
using testing::TestServer;

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
  EXPECT_EQ(a.detail, "delayed connect error: Connection refused");
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

class AsDownstreamTest : public ConnectionPoolTest {
 protected:
  void configure(config::Cluster& config) override {
    config.as_downstream = true;
    config.http2.emplace();
  }
};

TEST_F(AsDownstreamTest, SendsRequestsOfHttp1AsHttp1) {
  Exchange e;
  ASSERT_TRUE(e.start(*manager_->at(0).choose_host()));
  ASSERT_TRUE(finish(e));
  EXPECT_EQ(e.body, "ok");
  EXPECT_EQ(stat("upstream_cx_http1_total"), 1);
  EXPECT_EQ(stat("upstream_cx_http2_total"), 0);
}

TEST_F(AsDownstreamTest, SendsRequestsOfHttp2AsHttp2) {
  Exchange e;
  ASSERT_TRUE(e.start(*manager_->at(0).choose_host(true)));
  ASSERT_TRUE(run_until(loop_, [&] { return stat("upstream_cx_http2_total") == 1; }));
  EXPECT_EQ(stat("upstream_cx_http1_total"), 0);
  EXPECT_EQ(manager_->at(0).pools()[0]->active_requests(), 1u);
  e.request.cancel();
}

// Of the host's requests the load balancer hears whichever way they go, and the host waits for all of them.
TEST_F(AsDownstreamTest, CountsBothForTheHost) {
  ConnectionPool& host = *manager_->at(0).choose_host(true);
  Exchange e;
  ASSERT_TRUE(e.start(host.http1()));
  EXPECT_EQ(host.active_requests(), 1u);
  host.drain();
  EXPECT_FALSE(host.drained());
  ASSERT_TRUE(finish(e));
  EXPECT_EQ(host.active_requests(), 0u);
  EXPECT_TRUE(run_until(loop_, [&] { return host.drained(); }));
}

}  // namespace
}  // namespace inlay::upstream
