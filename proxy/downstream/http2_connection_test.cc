// SPDX-License-Identifier: Apache-2.0
// Clients of HTTP/2 at the connection manager, over real loopback sockets, with an origin inside of the chain.
#include "proxy/downstream/http2_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "http2/session_fixture.h"
#include "net/connection.h"
#include "proxy/downstream/connection_manager.h"
#include "proxy/downstream/scripted_filter.h"

namespace inlay::proxy::downstream {
namespace {

using http2::ErrorCode;
using http2::Session;
using http2::testing::map_of;
using http2::testing::RecordingSink;
using http2::testing::RecordingStream;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using testing::Origin;

struct Client : net::ConnectionHandler {
  Client(net::EventLoop& loop, const Address& address, const http2::Settings& settings)
      : session(Session::create(Session::Kind::kClient, settings, sink)),
        connection(net::connect(loop, address, milliseconds(5000), *this)) {
    connection->resume_reading();
  }
  void on_connected() override { flush(); }
  void on_data(Buffer& data, bool end_of_data) override {
    session->receive(data);
    end = end || end_of_data;
    flush();
  }
  void on_closed(net::CloseReason, std::string_view) override { end = true; }
  void flush() {
    Buffer out;
    session->write(out, 1 << 24);
    if (!out.empty() && !end) connection->write(out);
  }

  RecordingSink sink;
  std::unique_ptr<Session> session;
  bool end = false;
  std::unique_ptr<net::Connection> connection;
};

class Http2ConnectionTest : public ::testing::Test {
 protected:
  // After a test has set `listener_`.
  void start() {
    listener_.http.stat_prefix = "t";
    manager_ =
        std::make_unique<ConnectionManager>(loop_, ConnectionManager::Options{listener_, metrics_, {&origin_}, {}});
    auto listening = net::listen(loop_, {"127.0.0.1", 0}, [this](std::unique_ptr<net::Connection> connection) {
      manager_->accept(std::move(connection));
    });
    ASSERT_TRUE(listening);
    socket_ = std::move(*listening);
    client_ = std::make_unique<Client>(loop_, socket_->address(), settings_);
  }
  template <class Condition>
  bool run_until(Condition condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition() && std::chrono::steady_clock::now() < give_up) {
      client_->flush();
      loop_.run_once(milliseconds(10));
    }
    return condition();
  }
  void begin(RecordingStream& stream, std::string_view path, bool end = true, std::string_view method = "GET") {
    ASSERT_TRUE(client_->session->submit_request(
        stream, map_of({{":method", method}, {":scheme", "http"}, {":authority", "h"}, {":path", path}}), end));
  }
  void send(RecordingStream& stream, std::string_view text, bool end) {
    Buffer data;
    data.append(text);
    client_->session->send_data(stream, data, end);
  }
  bool over(RecordingStream& stream) {
    return run_until([&] { return !stream.open(); });
  }
  int64_t metric(std::string_view name) {
    int64_t value = -1;
    metrics_.for_each([&](const stats::MetricView& m) {
      if (m.name == "http.t.downstream_" + std::string(name)) value = m.value;
    });
    return value;
  }

  net::EventLoop loop_;
  stats::MetricStore metrics_;
  config::Listener listener_;
  http2::Settings settings_;
  testing::Factory origin_{[] { return std::make_unique<Origin>(); }};
  std::unique_ptr<ConnectionManager> manager_;
  std::unique_ptr<net::Listener> socket_;
  std::unique_ptr<Client> client_;
};

TEST_F(Http2ConnectionTest, AnswersManyOnOneConnection) {
  start();
  RecordingStream first, second;
  begin(first, "/x");
  begin(second, "/y");
  ASSERT_TRUE(over(first) && over(second));
  EXPECT_THAT(first.events, ElementsAre("headers", "data at /x (end)", "closed"));
  EXPECT_EQ(second.body, "at /y");
  EXPECT_EQ(first.headers.get("server"), "envoy");
  EXPECT_FALSE(first.headers.get("connection"));
  EXPECT_FALSE(first.headers.get("x-hop")) << "a field that Connection names is hop-by-hop";
  EXPECT_EQ(metric("cx_http2_total"), 1);
  EXPECT_EQ(metric("cx_http1_total"), 0);
  EXPECT_EQ(metric("rq_http2_total"), 2);
  EXPECT_EQ(metric("rq_2xx"), 2);
  ASSERT_TRUE(run_until([&] { return manager_->stream_count() == 0; }));
  EXPECT_EQ(metric("rq_active"), 0);
}

TEST_F(Http2ConnectionTest, ABodyComesBackWithItsTrailers) {
  start();
  RecordingStream stream;
  begin(stream, "/echo", false, "POST");
  send(stream, "hello", false);
  client_->session->send_trailers(stream, map_of({{"x-end", "1"}}));
  ASSERT_TRUE(over(stream));
  EXPECT_EQ(stream.body, "hello");
  EXPECT_EQ(stream.trailers.get("x-end"), "1");
}

TEST_F(Http2ConnectionTest, LargeBodiesAreWholeAndBounded) {
  settings_.stream_window = 65'535;
  settings_.connection_window = 100'000;
  start();
  RecordingStream large, small;
  large.pause_at_headers = true;
  large.session = client_->session.get();
  begin(large, "/big?5000000");
  begin(small, "/x");
  ASSERT_TRUE(over(small));
  EXPECT_TRUE(large.body.empty());
  ASSERT_TRUE(client_->session->resume(large));
  client_->session->deliver_held();
  ASSERT_TRUE(over(large));
  EXPECT_EQ(large.body.size(), 5'000'000u);
}

TEST_F(Http2ConnectionTest, HeadGetsNoBody) {
  start();
  RecordingStream stream;
  begin(stream, "/x", true, "HEAD");
  ASSERT_TRUE(over(stream));
  EXPECT_THAT(stream.events, ElementsAre("headers (end)", "closed"));
  EXPECT_EQ(stream.headers.get("content-length"), "5");
}

TEST_F(Http2ConnectionTest, AnAnswerBeforeTheRequestIsWholeIsWholeAndThenTheStreamEnds) {
  start();
  RecordingStream stream;
  begin(stream, "/early", false, "POST");
  send(stream, "start", false);
  ASSERT_TRUE(over(stream));
  EXPECT_EQ(stream.body, "at /early");
  EXPECT_EQ(metric("rq_response_before_rq_complete"), 1);
  RecordingStream next;
  begin(next, "/x");
  ASSERT_TRUE(over(next));
  EXPECT_EQ(next.body, "at /x");
}

TEST_F(Http2ConnectionTest, AResetOfEitherSideIsOfItsStreamAlone) {
  start();
  RecordingStream broken, left, stays;
  begin(broken, "/reset");
  begin(left, "/never");
  begin(stays, "/never");
  ASSERT_TRUE(over(broken));
  EXPECT_TRUE(broken.events[0].starts_with("reset ")) << broken.events[0];
  ASSERT_TRUE(run_until([&] { return manager_->stream_count() == 2; }));
  client_->session->reset(left, ErrorCode::kCancel);
  ASSERT_TRUE(run_until([&] { return manager_->stream_count() == 1; }));
  EXPECT_TRUE(stays.open());
  EXPECT_EQ(metric("rq_rx_reset"), 1);
  EXPECT_EQ(metric("rq_tx_reset"), 1);
  client_->connection->close(net::Connection::Close::kNow);
  ASSERT_TRUE(run_until([&] { return manager_->connection_count() == 0; }));
  EXPECT_EQ(manager_->stream_count(), 0u);
  EXPECT_EQ(metric("rq_active"), 0);
}

TEST_F(Http2ConnectionTest, ARequestNamesItsHostOnce) {
  start();
  RecordingStream none, host;
  ASSERT_TRUE(client_->session->submit_request(
      host, map_of({{":method", "GET"}, {":scheme", "http"}, {":path", "/x"}, {"host", "h"}}), true));
  ASSERT_TRUE(over(host));
  EXPECT_EQ(host.headers.get(":status"), "200");
  ASSERT_TRUE(
      client_->session->submit_request(none, map_of({{":method", "GET"}, {":scheme", "http"}, {":path", "/x"}}), true));
  ASSERT_TRUE(run_until([&] { return client_->end; }));
  EXPECT_FALSE(none.headers.get(":status"));
  EXPECT_EQ(metric("cx_protocol_error"), 1);
}

TEST_F(Http2ConnectionTest, RefusalsAreAnswers) {
  start();
  RecordingStream stream;
  begin(stream, "/x", true, "QUERY");  // without a content-type
  ASSERT_TRUE(over(stream));
  EXPECT_EQ(stream.headers.get(":status"), "400");
}

TEST_F(Http2ConnectionTest, IdleConnectionsAreClosed) {
  listener_.http.idle_timeout = milliseconds(20);
  start();
  ASSERT_TRUE(run_until([&] { return client_->end; }));
  EXPECT_FALSE(client_->sink.goaways.empty() && client_->sink.settings == 0);
  client_ = std::make_unique<Client>(loop_, socket_->address(), settings_);
  RecordingStream stream;
  begin(stream, "/x");
  ASSERT_TRUE(over(stream));
  EXPECT_EQ(stream.body, "at /x");
  ASSERT_TRUE(run_until([&] { return client_->end; }));
  EXPECT_THAT(client_->sink.goaways, ElementsAre(ErrorCode::kNoError));
  EXPECT_GE(metric("cx_idle_timeout"), 1);
}

TEST_F(Http2ConnectionTest, AStreamThatIdlesIsAnswered) {
  listener_.http.stream_idle_timeout = milliseconds(20);
  start();
  RecordingStream stream;
  begin(stream, "/never");
  ASSERT_TRUE(over(stream));
  EXPECT_EQ(stream.headers.get(":status"), "504");
  EXPECT_EQ(metric("rq_idle_timeout"), 1);
}

// Its chain has ended; what is left waits in the codec.
TEST_F(Http2ConnectionTest, AnAnswerThatIsNotTakenIsGivenUp) {
  settings_.stream_window = 65'535;
  listener_.http.stream_idle_timeout = milliseconds(20);
  start();
  RecordingStream stream;
  stream.pause_at_headers = true;
  stream.session = client_->session.get();
  begin(stream, "/big?200000");
  ASSERT_TRUE(run_until([&] { return !stream.events.empty() && stream.events.back() == "reset 2 by peer"; }));
  EXPECT_EQ(metric("rq_2xx"), 1);
  EXPECT_EQ(metric("rq_tx_reset"), 1);
  EXPECT_EQ(manager_->connection_count(), 1u);
}

TEST_F(Http2ConnectionTest, DrainLetsRequestsEndAndTellsTheClient) {
  start();
  RecordingStream open;
  begin(open, "/echo", false, "POST");
  ASSERT_TRUE(run_until([&] { return manager_->stream_count() == 1; }));
  bool drained = false;
  manager_->drain([&] { drained = true; });
  ASSERT_TRUE(run_until([&] { return client_->sink.goaways.size() == 2; }));
  EXPECT_FALSE(drained);
  send(open, "last", true);
  ASSERT_TRUE(over(open));
  EXPECT_EQ(open.body, "last");
  ASSERT_TRUE(run_until([&] { return drained; }));
}

TEST_F(Http2ConnectionTest, AConnectionHasAsManyRequestsAsItMayHave) {
  listener_.http.max_requests_per_connection = 2;
  start();
  for (int i = 0; i < 2; ++i) {
    RecordingStream stream;
    begin(stream, "/x");
    ASSERT_TRUE(over(stream));
    EXPECT_EQ(stream.body, "at /x");
  }
  ASSERT_TRUE(run_until([&] { return client_->end; }));
}

// Requests that are begun and taken back at once: each costs the client a few bytes and this side a chain.
TEST_F(Http2ConnectionTest, ManyPrematureResetsEndTheConnection) {
  start();
  for (int i = 0; i < 2000 && !client_->end; ++i) {
    RecordingStream stream;
    begin(stream, "/never");
    client_->flush();
    client_->session->reset(stream, ErrorCode::kCancel);
    client_->flush();
    loop_.run_once(milliseconds(0));
    if (client_->session->streams_left() == 0) break;
  }
  ASSERT_TRUE(run_until([&] { return client_->end; }));
  EXPECT_EQ(metric("rq_too_many_premature_resets"), 1);
  EXPECT_EQ(manager_->stream_count(), 0u);
}

TEST_F(Http2ConnectionTest, WhatIsNotHttp2EndsTheConnection) {
  listener_.http.codec_type = config::HttpConnectionManager::CodecType::kHttp2;
  start();
  ASSERT_TRUE(run_until([&] { return client_->sink.settings == 1; }));
  client_->connection->write("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
  ASSERT_TRUE(run_until([&] { return client_->end; }));
  EXPECT_EQ(metric("cx_protocol_error"), 1);
  EXPECT_EQ(manager_->connection_count(), 0u);
}

TEST_F(Http2ConnectionTest, AListenerOfHttp1TakesNoHttp2) {
  listener_.http.codec_type = config::HttpConnectionManager::CodecType::kHttp1;
  start();
  ASSERT_TRUE(run_until([&] { return client_->end || !client_->session->failure().empty(); }));
  EXPECT_EQ(metric("cx_http1_total"), 1);
  EXPECT_EQ(metric("cx_http2_total"), 0);
}

TEST_F(Http2ConnectionTest, TheManagersEndResetsAll) {
  start();
  RecordingStream stream;
  begin(stream, "/never");
  ASSERT_TRUE(run_until([&] { return manager_->stream_count() == 1; }));
  manager_.reset();
  ASSERT_TRUE(run_until([&] { return client_->end; }));
}

}  // namespace
}  // namespace inlay::proxy::downstream
