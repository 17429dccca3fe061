// SPDX-License-Identifier: Apache-2.0
// Relaying: bytes, half-close, back-pressure, failures and time-outs.

#include <sys/socket.h>

#include "proxy/downstream/stream_logger.h"
#include "proxy/tcp/relay_fixture.h"

namespace inlay::proxy::tcp {
namespace {

using testing::End;
using testing::milliseconds;
using testing::RelayTest;

constexpr size_t kMiB = size_t{1} << 20;

// Remembers what was logged.
struct Logged final : downstream::StreamLogger {
  struct Entry {
    uint64_t received, sent;
    uint32_t flags;
    std::string details, host;
  };
  std::vector<Entry> entries;
  void log(const downstream::StreamRecord& record) override {
    const downstream::StreamInfo& info = record.info;
    entries.push_back({info.bytes_received, info.bytes_sent, info.response_flags, info.response_code_details,
                       info.upstream_host.to_string()});
  }
};

TEST_F(RelayTest, CarriesBytesBothWays) {
  Logged log;
  loggers_.push_back(&log);
  End& client = this->client();
  client.connection->write("question");
  run_until([&] { return !servers_.empty() && server().received == "question"; });
  server().connection->write("the answer");
  run_until([&] { return client.received == "the answer"; });
  EXPECT_EQ(metric("tcp.t.downstream_cx_total"), 1);
  EXPECT_EQ(metric("listener.in.downstream_cx_active"), 1);
  EXPECT_EQ(metric("cluster.app.upstream_cx_active"), 1);
  client.connection->close(net::Connection::Close::kAfterFlush);
  run_until([&] { return server().ended; });
  server().connection->close(net::Connection::Close::kAfterFlush);
  run_until_none_is_left();
  EXPECT_EQ(metric("tcp.t.downstream_cx_rx_bytes_total"), 8);
  EXPECT_EQ(metric("tcp.t.downstream_cx_tx_bytes_total"), 10);
  EXPECT_EQ(metric("listener.in.downstream_cx_total"), 1);
  EXPECT_EQ(metric("listener.in.downstream_cx_active"), 0);
  EXPECT_EQ(metric("cluster.app.upstream_cx_total"), 1);
  EXPECT_EQ(metric("cluster.app.upstream_cx_active"), 0);
  EXPECT_EQ(metric("cluster.app.upstream_cx_destroy"), 1);
  EXPECT_EQ(metric("cluster.app.upstream_cx_tx_bytes_total"), 8);
  EXPECT_EQ(metric("cluster.app.upstream_cx_rx_bytes_total"), 10);
  EXPECT_EQ(metric("cluster.app.upstream_rq_total"), 1);
  EXPECT_EQ(metric("cluster.app.upstream_rq_active"), 0);
  ASSERT_EQ(log.entries.size(), 1u);
  EXPECT_EQ(log.entries[0].received, 8u);
  EXPECT_EQ(log.entries[0].sent, 10u);
  EXPECT_EQ(log.entries[0].flags, 0u);
  EXPECT_EQ(log.entries[0].host, server_socket_->address().to_string());
}

TEST_F(RelayTest, TheServerMaySpeakFirst) {
  on_server = [](End& end) { end.connection->write("220 ready\r\n"); };
  End& client = this->client();
  run_until([&] { return client.received == "220 ready\r\n"; });
}

TEST_F(RelayTest, AHalfClosedClientStillGetsItsAnswer) {
  on_server = [](End& end) { end.answers_end = false; };
  End& client = this->client();
  client.connection->write("all of it");
  client.connection->shutdown_write();
  run_until([&] { return !servers_.empty() && server().ended; });
  EXPECT_EQ(server().received, "all of it");
  EXPECT_FALSE(client.over());
  server().connection->write("answer");
  run_until([&] { return client.received == "answer"; });
  EXPECT_EQ(manager_->connection_count(), 1u);
  server().connection->shutdown_write();
  run_until([&] { return client.ended; });
  run_until_none_is_left();
}

TEST_F(RelayTest, AHalfClosedServerStillGetsTheRest) {
  End& client = this->client();
  client.answers_end = false;
  server().connection->write("bye");
  server().connection->shutdown_write();
  run_until([&] { return client.ended; });
  EXPECT_EQ(client.received, "bye");
  client.connection->write("one more thing");
  run_until([&] { return server().received == "one more thing"; });
  EXPECT_EQ(manager_->connection_count(), 1u);
  client.connection->shutdown_write();
  run_until([&] { return server().ended; });
  run_until_none_is_left();
}

// Each side takes 32 MiB, slowly: what waits in the proxy is bounded by the limits, whatever was sent.
TEST_F(RelayTest, ASlowReaderOnEitherSideHoldsTheOtherBack) {
  for (const bool to_server : {true, false}) {
    SCOPED_TRACE(to_server);
    listener_.per_connection_buffer_limit_bytes = 64 * 1024;
    config_[0].per_connection_buffer_limit_bytes = 64 * 1024;
    servers_read_ = !to_server;
    const size_t index = servers_.size();
    End& client = this->client(to_server);
    End& server = this->server(index);
    End& writer = to_server ? client : server;
    End& reader = to_server ? server : client;
    reader.keep = false;
    run_until([&] { return client.connected; });
    writer.connection->set_write_watermark(kMiB);
    const std::string block(256 * 1024, 'x');
    size_t written = 0;
    // Until the proxy takes no more, nor do the kernel's buffers, which may still grow for a while.
    size_t taken = 0;
    for (int still = 0; still < 3;) {
      while (writer.connection->unsent() < 4 * kMiB) {
        writer.connection->write(block);
        written += block.size();
        loop_.run_once(milliseconds(0));
        ASSERT_LT(written, 64 * kMiB) << "the proxy took everything";
      }
      settle();
      const size_t now = written - writer.connection->unsent();
      still = now == taken ? still + 1 : 0;
      taken = now;
    }
    EXPECT_EQ(reader.bytes, 0u);
    reader.connection->resume_reading();
    while (written < 32 * kMiB) {
      writer.connection->write(block);
      written += block.size();
      loop_.run_once(milliseconds(1));
    }
    writer.connection->shutdown_write();
    run_until([&] { return reader.ended; });
    EXPECT_EQ(reader.bytes, written);
    client.reset();
    run_until_none_is_left();
  }
  EXPECT_GT(metric("tcp.t.downstream_flow_control_paused_reading_total"), 0);
  EXPECT_EQ(metric("tcp.t.downstream_flow_control_paused_reading_total"),
            metric("tcp.t.downstream_flow_control_resumed_reading_total"));
}

// The last bytes of a server that closes reach a client that is slow.
TEST_F(RelayTest, WhatAServerSentBeforeItClosedIsNotLost) {
  End& client = this->client(/*reading=*/false);
  End& server = this->server();
  server.connection->write(std::string(4 * kMiB, 'y'));
  server.connection->close(net::Connection::Close::kAfterFlush);
  settle();
  client.keep = false;
  client.connection->resume_reading();
  run_until([&] { return client.over(); });
  EXPECT_EQ(client.bytes, 4 * kMiB);
}

TEST_F(RelayTest, AResetClientTakesTheServersConnectionWithIt) {
  End& client = this->client(/*reading=*/false);
  client.connection->write("x");
  run_until([&] { return !servers_.empty() && server().received == "x"; });
  server().connection->write("unread");
  settle();
  client.reset();
  run_until([&] { return server().over(); });
  EXPECT_TRUE(server().reset_seen);
  run_until_none_is_left();
}

TEST_F(RelayTest, AResetServerTakesTheClientsConnectionWithIt) {
  End& client = this->client();
  client.connection->write("x");
  run_until([&] { return !servers_.empty() && server().received == "x"; });
  server().connection->pause_reading();
  client.connection->write("unread");
  settle();
  server().reset();
  run_until([&] { return client.over(); });
  EXPECT_TRUE(client.reset_seen);
  run_until_none_is_left();
  EXPECT_EQ(metric("cluster.app.upstream_cx_destroy_remote"), 1);
}

TEST_F(RelayTest, ARefusingServerIsTriedAsOftenAsConfigured) {
  Logged log;
  loggers_.push_back(&log);
  listener_.tcp_proxy->max_connect_attempts = 3;
  server_socket_->stop_accepting();  // nobody listens there any more
  End& client = this->client();
  run_until([&] { return client.over(); });
  run_until_none_is_left();
  EXPECT_EQ(metric("cluster.app.upstream_cx_connect_fail"), 3);
  EXPECT_EQ(metric("cluster.app.upstream_cx_connect_attempts_exceeded"), 1);
  EXPECT_EQ(metric("cluster.app.upstream_cx_active"), 0);
  ASSERT_EQ(log.entries.size(), 1u);
  EXPECT_EQ(log.entries[0].flags, downstream::kUpstreamConnectionFailure | downstream::kUpstreamRetryLimitExceeded);
  EXPECT_EQ(log.entries[0].details, "");  // as in Envoy: they are HTTP's
}

TEST_F(RelayTest, ASecondAttemptMaySucceed) {
  listener_.tcp_proxy->max_connect_attempts = 2;
  config_[0].endpoints.resize(2);
  config_[0].endpoints[1].address = config_[0].endpoints[0].address;
  config_[0].endpoints[0].address.port = 1;  // refuses
  for (int i = 0; i < 2; ++i) {              // whichever of the two comes first
    End& client = this->client();
    client.connection->write("hello");
    run_until([&] { return servers_.size() == static_cast<size_t>(i + 1) && servers_.back()->received == "hello"; });
  }
  EXPECT_GE(metric("cluster.app.upstream_cx_connect_fail"), 1);
  EXPECT_EQ(metric("cluster.app.upstream_cx_connect_attempts_exceeded"), 0);
}

TEST_F(RelayTest, WhereThereIsNothingToConnectToTheClientIsClosed) {
  struct Case {
    const char* cluster;
    uint32_t flags;
    const char* counter;
  };
  add_cluster("empty", std::nullopt);
  add_cluster("full", server_socket_->address()).max_connections = 0;
  for (const Case& c : {Case{"nowhere", downstream::kNoClusterFound, "tcp.t.downstream_cx_no_route"},
                        Case{"empty", downstream::kNoHealthyUpstream, "cluster.empty.upstream_cx_none_healthy"},
                        Case{"full", downstream::kUpstreamOverflow, "cluster.full.upstream_cx_overflow"}}) {
    SCOPED_TRACE(c.cluster);
    Logged log;
    loggers_ = {&log};
    listener_.tcp_proxy->targets = {{c.cluster, 1}};
    socket_.reset();
    manager_.reset();
    End& client = this->client();
    run_until([&] { return client.over(); });
    run_until_none_is_left();
    EXPECT_EQ(metric(c.counter), 1);
    ASSERT_EQ(log.entries.size(), 1u);
    EXPECT_EQ(log.entries[0].flags, c.flags);
  }
  EXPECT_TRUE(servers_.empty());
}

TEST_F(RelayTest, MaxConnectionsBoundsAndGivesBack) {
  config_[0].max_connections = 1;
  End& first = this->client();
  server(0);
  End& second = this->client();
  run_until([&] { return second.over(); });
  first.reset();
  run_until_none_is_left();
  this->client();
  server(1);
  EXPECT_EQ(metric("cluster.app.upstream_cx_overflow"), 1);
}

TEST_F(RelayTest, WeightsDecideAmongClusters) {
  add_cluster("other", server_socket_->address());
  listener_.tcp_proxy->targets = {{"app", 3}, {"other", 1}};
  for (int i = 0; i < 40; ++i) {
    this->client();
    server(static_cast<size_t>(i));
  }
  const int64_t app = metric("cluster.app.upstream_cx_total");
  const int64_t other = metric("cluster.other.upstream_cx_total");
  EXPECT_EQ(app + other, 40);
  EXPECT_GT(app, other);
  EXPECT_GT(other, 0);
}

TEST_F(RelayTest, AnIdleConnectionIsClosedAndABusyOneIsNot) {
  listener_.tcp_proxy->idle_timeout = milliseconds(200);
  End& client = this->client();
  End& server = this->server();
  const auto begin = std::chrono::steady_clock::now();
  auto last = begin;
  auto longest = last - last;  // how long it was idle at most, which a busy machine may stretch
  for (size_t n = 1; last - begin < milliseconds(500) && !client.over(); ++n) {
    (n % 2 ? client : server).connection->write("x");
    End& other = n % 2 ? server : client;
    const size_t before = other.bytes;
    run_until([&] { return other.bytes > before || other.over(); });
    loop_.run_once(milliseconds(20));
    const auto now = std::chrono::steady_clock::now();
    longest = std::max(longest, now - last);
    last = now;
  }
  if (longest < milliseconds(150)) {
    EXPECT_EQ(metric("tcp.t.idle_timeout"), 0);
  }
  run_until([&] { return client.over() && server.over(); });
  EXPECT_EQ(metric("tcp.t.idle_timeout"), 1);
  run_until_none_is_left();
}

TEST_F(RelayTest, AConnectionLastsNoLongerThanItMay) {
  Logged log;
  loggers_.push_back(&log);
  listener_.tcp_proxy->max_connection_duration = milliseconds(100);
  End& client = this->client();
  End& server = this->server();
  run_until([&] { return client.over() && server.over(); });
  EXPECT_EQ(metric("tcp.t.max_downstream_connection_duration"), 1);
  ASSERT_EQ(log.entries.size(), 1u);
  EXPECT_EQ(log.entries[0].flags, downstream::kDurationTimeout);
}

TEST_F(RelayTest, ADrainWaitsForConnections) {
  End& client = this->client();
  server();
  bool drained = false;
  socket_->stop_accepting();
  manager_->drain([&] { drained = true; });
  settle();
  EXPECT_FALSE(drained);
  client.connection->write("still here");
  run_until([&] { return server().received == "still here"; });
  client.reset();
  run_until([&] { return drained; });
}

TEST_F(RelayTest, ADrainWithoutConnectionsIsDoneAtOnce) {
  serve();
  bool drained = false;
  manager_->drain([&] { drained = true; });
  EXPECT_FALSE(drained);
  run_until([&] { return drained; });
}

TEST_F(RelayTest, TheEndOfTheManagerClosesEverything) {
  End& client = this->client();
  End& server = this->server();
  manager_.reset();
  run_until([&] { return client.over() && server.over(); });
  EXPECT_EQ(metric("cluster.app.upstream_cx_active"), 0);
}

}  // namespace
}  // namespace inlay::proxy::tcp
