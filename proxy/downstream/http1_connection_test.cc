// SPDX-License-Identifier: Apache-2.0
// The connection manager over real loopback sockets, with an origin inside of the chain.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <regex>
#include <string>

#include "net/connection.h"
#include "proxy/downstream/connection_manager.h"
#include "proxy/downstream/scripted_filter.h"

namespace inlay::proxy::downstream {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Origin;
using ::testing::StartsWith;

// A client that keeps all that it gets.
struct Client : net::ConnectionHandler {
  Client(net::EventLoop& loop, const Address& address)
      : connection(net::connect(loop, address, milliseconds(5000), *this)) {
    connection->resume_reading();
  }
  void on_data(Buffer& data, bool end_of_data) override {
    received += data.to_string();
    data.clear();
    end = end || end_of_data;
  }
  void on_closed(net::CloseReason, std::string_view) override { end = true; }
  std::string received;
  bool end = false;
  std::unique_ptr<net::Connection> connection;
};

class Http1ConnectionTest : public ::testing::Test {
 protected:
  // After a test has set `listener_`.
  void start() {
    listener_.http.stat_prefix = "t";
    manager_ = std::make_unique<ConnectionManager>(
        loop_, ConnectionManager::Options{listener_, metrics_, {&origin_}, {}, trim_streams_every_});
    auto listening = net::listen(loop_, {"127.0.0.1", 0}, [this](std::unique_ptr<net::Connection> connection) {
      manager_->accept(std::move(connection));
    });
    ASSERT_TRUE(listening);
    socket_ = std::move(*listening);
    connect();
  }
  void connect() { client_ = std::make_unique<Client>(loop_, socket_->address()); }
  template <class Condition>
  bool run_until(Condition condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition() && std::chrono::steady_clock::now() < give_up) loop_.run_once(milliseconds(100));
    return condition();
  }
  // Sends, and waits until the client has `count` times the text `until`.
  std::string ask(std::string_view request, std::string_view until, int count = 1) {
    client_->connection->write(request);
    const bool done = run_until([&] {
      int found = 0;
      for (size_t at = 0; (at = client_->received.find(until, at)) != std::string::npos; at += until.size()) ++found;
      return found >= count || client_->end;
    });
    EXPECT_TRUE(done) << client_->received;
    return client_->received;
  }
  // Sends, and waits until the server closes.
  std::string ask_to_end(std::string_view request) {
    client_->connection->write(request);
    EXPECT_TRUE(run_until([&] { return client_->end; })) << client_->received;
    return client_->received;
  }
  int64_t metric(std::string_view name) {
    int64_t value = -1;
    metrics_.for_each([&](const stats::MetricView& m) {
      if (m.name == name) value = m.value;
    });
    return value;
  }

  net::EventLoop loop_;
  stats::MetricStore metrics_;
  config::Listener listener_;
  milliseconds trim_streams_every_{5000};
  testing::Factory origin_{[] { return std::make_unique<Origin>(); }};
  std::unique_ptr<ConnectionManager> manager_;
  std::unique_ptr<net::Listener> socket_;
  std::unique_ptr<Client> client_;
};

const std::string kGet = "GET /x HTTP/1.1\r\nhost: h\r\n\r\n";

// As many streams stay as were needed at once of late, so that a crowd of requests allocates nothing the second time.
TEST_F(Http1ConnectionTest, KeepsTheStreamsOfACrowdUntilItIsGone) {
  constexpr size_t kCrowd = 100;
  trim_streams_every_ = milliseconds(200);
  start();
  std::vector<std::unique_ptr<Client>> crowd;
  const auto begin = [&](Client& client) {
    client.connection->write("POST /x HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\n\r\n");
  };
  for (size_t i = 0; i < kCrowd; ++i) {
    crowd.push_back(std::make_unique<Client>(loop_, socket_->address()));
    begin(*crowd.back());
  }
  ASSERT_TRUE(run_until([&] { return manager_->stream_count() == kCrowd; }));
  for (const auto& client : crowd) client->connection->write("!");
  ASSERT_TRUE(run_until([&] { return manager_->stream_count() == 0; }));
  EXPECT_EQ(manager_->free_stream_count(), kCrowd);
  ASSERT_TRUE(run_until([&] { return manager_->free_stream_count() < kCrowd; }));
  EXPECT_EQ(manager_->free_stream_count(), 64u);
}

TEST_F(Http1ConnectionTest, AnswersAndKeepsTheConnection) {
  start();
  const std::string first = ask(kGet, "at /x");
  EXPECT_THAT(first, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(first, HasSubstr("\r\ncontent-length: 5\r\n"));
  EXPECT_THAT(first, HasSubstr("\r\nserver: envoy\r\n"));
  EXPECT_TRUE(std::regex_search(first, std::regex("\r\ndate: [A-Z][a-z]{2}, [^\r]* GMT\r\n"))) << first;
  EXPECT_THAT(first, Not(HasSubstr("connection:")));
  EXPECT_THAT(first, Not(HasSubstr("x-hop"))) << "a field that Connection names is hop-by-hop";
  ask(kGet, "at /x", 2);
  EXPECT_EQ(metric("http.t.downstream_rq_total"), 2);
  EXPECT_EQ(metric("http.t.downstream_rq_2xx"), 2);
  EXPECT_EQ(metric("http.t.downstream_rq_active"), 0);
  EXPECT_EQ(metric("http.t.downstream_cx_total"), 1);
  EXPECT_EQ(manager_->connection_count(), 1u);
  client_->connection->close(net::Connection::Close::kNow);
  EXPECT_TRUE(run_until([&] { return manager_->connection_count() == 0; }));
  EXPECT_EQ(metric("http.t.downstream_cx_active"), 0);
}

// As in Envoy 1.40, whatever comes in one read.
TEST_F(Http1ConnectionTest, ABodysEndComesByItself) {
  testing::Journal journal;
  origin_ = testing::Factory([&] { return std::make_unique<testing::ScriptedFilter>("f", journal); });
  listener_.http.enable_trailers = true;
  start();
  const auto heard = [&](std::string_view request) {
    client_->connection->close(net::Connection::Close::kNow);  // nobody answers what went before
    EXPECT_TRUE(run_until([&] { return manager_->connection_count() == 0; }));
    journal.lines.clear();
    connect();
    client_->connection->write(request);
    EXPECT_TRUE(run_until([&] { return std::regex_search(journal.text(), std::regex("end\\)|trailers")); }));
    return journal.text();
  };
  const std::string post = "POST / HTTP/1.1\r\nhost: h\r\n";
  const std::string chunked = post + "transfer-encoding: chunked\r\n\r\n";
  EXPECT_EQ(heard(post + "content-length: 3\r\n\r\nabc"), "f.decode_headers f.decode_data(abc) f.decode_data(,end)");
  EXPECT_EQ(heard(chunked + "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
            "f.decode_headers f.decode_data(abc) f.decode_data(,end)");
  EXPECT_EQ(heard(chunked + "0\r\n\r\n"), "f.decode_headers f.decode_data(,end)");
  EXPECT_EQ(heard(chunked + "3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n"),
            "f.decode_headers f.decode_data(abc) f.decode_trailers");
  EXPECT_EQ(heard(post + "content-length: 0\r\n\r\n"), "f.decode_headers(end)");
  EXPECT_EQ(heard(kGet), "f.decode_headers(end)");
  manager_.reset();  // its filters write into the journal
}

TEST_F(Http1ConnectionTest, AnswersPipelinedRequestsInOrder) {
  start();
  std::string requests;
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    requests += "GET /" + std::to_string(i) + "x HTTP/1.1\r\nhost: h\r\n\r\n";
    requests += "POST /post HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc";
  }
  const std::string all = ask(requests, "at /post", 50);
  size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = all.find("at /" + std::to_string(i) + "x", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_EQ(metric("http.t.downstream_rq_2xx"), 100);
}

TEST_F(Http1ConnectionTest, StreamsABodyInBothDirections) {
  listener_.http.enable_trailers = true;
  start();
  ask("POST /echo HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n", "first");
  EXPECT_THAT(client_->received, HasSubstr("transfer-encoding: chunked"));
  EXPECT_THAT(ask("6\r\nsecond\r\n0\r\nTr: v\r\n\r\n", "\r\n\r\n", 2), HasSubstr("6\r\nsecond\r\n0\r\ntr: v\r\n\r\n"));
}

TEST_F(Http1ConnectionTest, DropsTrailersUnlessTheyAreEnabled) {
  start();
  const std::string all = ask(
      "POST /echo HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nTr: v\r\n\r\n", "0\r\n\r\n");
  EXPECT_THAT(all, Not(HasSubstr("tr: v")));
}

TEST_F(Http1ConnectionTest, SendsALargeBodyWithBoundedMemory) {
  listener_.per_connection_buffer_limit_bytes = 256 * 1024;
  start();
  const size_t size = 64 << 20;
  client_->connection->write("GET /big?" + std::to_string(size) + " HTTP/1.1\r\nhost: h\r\n\r\n");
  size_t body = 0;
  EXPECT_TRUE(run_until([&] {
    body += client_->received.size();
    client_->received.clear();
    return body > size;
  }));
}

TEST_F(Http1ConnectionTest, HeadHasNoBody) {
  start();
  const std::string all = ask("HEAD /x HTTP/1.1\r\nhost: h\r\n\r\n" + kGet, "at /x");
  EXPECT_EQ(all.find("at /x"), all.rfind("at /x"));
  EXPECT_THAT(all, HasSubstr("content-length: 5\r\n"));
}

TEST_F(Http1ConnectionTest, Answers100Continue) {
  start();
  ask("POST /x HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n", "\r\n\r\n");
  EXPECT_EQ(client_->received, "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_THAT(ask("ab", "at /x"), HasSubstr("HTTP/1.1 200 OK"));
}

TEST_F(Http1ConnectionTest, ClosesWhenTheClientAsks) {
  start();
  const std::string all = ask_to_end("GET /x HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
  EXPECT_THAT(all, HasSubstr("\r\nconnection: close\r\n"));
  EXPECT_THAT(all, HasSubstr("at /x"));
}

TEST_F(Http1ConnectionTest, AHalfClosedClientGetsItsAnswer) {
  start();
  client_->connection->write(kGet);
  client_->connection->shutdown_write();
  EXPECT_TRUE(run_until([&] { return client_->end; }));
  EXPECT_THAT(client_->received, HasSubstr("at /x"));
}

// As in Envoy: the client has gone.
TEST_F(Http1ConnectionTest, AClientThatHalfClosesEndsItsStream) {
  for (const bool more_behind : {false, true}) {
    start();
    client_->connection->write("GET /never HTTP/1.1\r\nhost: h\r\n\r\n" + (more_behind ? kGet : ""));
    EXPECT_TRUE(run_until([&] { return manager_->stream_count() == 1; }));
    client_->connection->shutdown_write();
    EXPECT_TRUE(run_until([&] { return client_->end; })) << more_behind;
    EXPECT_EQ(client_->received, "");
    EXPECT_EQ(manager_->stream_count(), 0u);
  }
  EXPECT_EQ(metric("http.t.downstream_rq_rx_reset"), 2);
}

TEST_F(Http1ConnectionTest, AnEarlyAnswerEndsTheConnection) {
  start();
  const std::string all = ask_to_end("POST /early HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nabc");
  EXPECT_THAT(all, HasSubstr("at /early"));
  EXPECT_THAT(all, HasSubstr("connection: close\r\n"));
  EXPECT_EQ(metric("http.t.downstream_rq_response_before_rq_complete"), 1);
}

TEST_F(Http1ConnectionTest, AClientThatLeavesEndsItsStream) {
  start();
  client_->connection->write("GET /never HTTP/1.1\r\nhost: h\r\n\r\n");
  EXPECT_TRUE(run_until([&] { return manager_->stream_count() == 1; }));
  client_->connection->write("rest");  // unread by the server, so that closing resets
  client_->connection->close(net::Connection::Close::kNow);
  client_.reset();
  connect();
  ask(kGet, "at /x");
  client_.reset();
  EXPECT_TRUE(run_until([&] { return manager_->connection_count() <= 1; }));
}

TEST_F(Http1ConnectionTest, AnUploadThatBreaksOffEndsItsStream) {
  start();
  client_->connection->write("POST /x HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nabc");
  EXPECT_TRUE(run_until([&] { return manager_->stream_count() == 1; }));
  client_->connection->shutdown_write();
  EXPECT_TRUE(run_until([&] { return manager_->connection_count() == 0; }));
  EXPECT_EQ(manager_->stream_count(), 0u);
  EXPECT_EQ(metric("http.t.downstream_rq_rx_reset"), 1);
}

TEST_F(Http1ConnectionTest, AResetStreamClosesTheConnection) {
  start();
  EXPECT_EQ(ask_to_end("GET /reset HTTP/1.1\r\nhost: h\r\n\r\n"), "");
}

struct Refusal {
  const char* name;
  std::string request;
  std::string status_line;
  std::string body;
};
class Refusals : public Http1ConnectionTest, public ::testing::WithParamInterface<Refusal> {};

TEST_P(Refusals, AreAnsweredAndClosed) {
  start();
  const std::string all = ask_to_end(GetParam().request);
  EXPECT_THAT(all, StartsWith("HTTP/1.1 " + GetParam().status_line + "\r\n"));
  EXPECT_THAT(all, HasSubstr("\r\nconnection: close\r\n"));
  EXPECT_THAT(all, HasSubstr("\r\nserver: envoy\r\n"));
  EXPECT_EQ(all.substr(all.find("\r\n\r\n") + 4), GetParam().body);
}

INSTANTIATE_TEST_SUITE_P(
    Http, Refusals,
    ::testing::Values(
        Refusal{"Garbage", "\x16\x03\x01\n", "400 Bad Request", "Bad Request"},
        Refusal{"NoHost", "GET / HTTP/1.1\r\n\r\n", "400 Bad Request", "Bad Request"},
        Refusal{"Smuggling", "GET / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
                "400 Bad Request", "Bad Request"},
        Refusal{"UnknownCoding", "GET / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: gzip\r\n\r\n", "501 Not Implemented",
                "Not Implemented"},
        Refusal{"LargeHead", "GET / HTTP/1.1\r\nhost: h\r\nx: " + std::string(70'000, 'x') + "\r\n\r\n",
                "431 Request Header Fields Too Large", "Request Header Fields Too Large"},
        Refusal{"Http10", "GET / HTTP/1.0\r\nhost: h\r\n\r\n", "426 Upgrade Required", ""},
        Refusal{"NearlyHttp2", "PRI / HTTP/1.1\r\nhost: h\r\n\r\n", "400 Bad Request", "Bad Request"},
        Refusal{"Http12", "GET / HTTP/1.2\r\nhost: h\r\n\r\n", "426 Upgrade Required", "Upgrade Required"},
        Refusal{"BadBody", "POST /x HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "400 Bad Request",
                "Bad Request"}),
    [](const auto& param) { return param.param.name; });

TEST_F(Http1ConnectionTest, IdleConnectionsAreClosed) {
  listener_.http.idle_timeout = milliseconds(20);
  start();
  EXPECT_EQ(ask_to_end(""), "");
  EXPECT_EQ(metric("http.t.downstream_cx_idle_timeout"), 1);
}

TEST_F(Http1ConnectionTest, ASlowHeadIsAnswered408) {
  listener_.http.request_headers_timeout = milliseconds(20);
  start();
  EXPECT_THAT(ask_to_end("GET / HTTP/1.1\r\n"), StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
}

TEST_F(Http1ConnectionTest, ASlowRequestIsAnswered408) {
  listener_.http.request_timeout = milliseconds(20);
  start();
  const std::string all = ask_to_end("POST /x HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n");
  EXPECT_THAT(all, StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_THAT(all, ::testing::EndsWith("\r\n\r\nrequest timeout"));
}

TEST_F(Http1ConnectionTest, AnIdleStreamIsAnswered) {
  listener_.http.stream_idle_timeout = milliseconds(20);
  start();
  const std::string late_answer = ask("GET /never HTTP/1.1\r\nhost: h\r\n\r\n", "stream timeout");
  EXPECT_THAT(late_answer, StartsWith("HTTP/1.1 504 Gateway Timeout\r\n"));
  connect();
  const std::string late_request = ask_to_end("POST /x HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n");
  EXPECT_THAT(late_request, StartsWith("HTTP/1.1 408 Request Timeout\r\n"));
}

TEST_F(Http1ConnectionTest, AStreamHasALongestDuration) {
  listener_.http.max_stream_duration = milliseconds(20);
  start();
  EXPECT_THAT(ask("GET /never HTTP/1.1\r\nhost: h\r\n\r\n", "downstream duration timeout"), HasSubstr("504"));
}

TEST_F(Http1ConnectionTest, AConnectionHasALongestDurationAndMostRequests) {
  listener_.http.max_connection_duration = milliseconds(20);
  start();
  EXPECT_EQ(ask_to_end(""), "");
  listener_.http.max_connection_duration = {};
  listener_.http.max_requests_per_connection = 2;
  connect();
  const std::string all = ask_to_end(kGet + kGet + kGet);
  EXPECT_THAT(all, HasSubstr("connection: close"));
  EXPECT_EQ(metric("http.t.downstream_rq_total"), 2);
}

// A client that asks and asks but takes nothing would otherwise fill the memory with answers.
TEST_F(Http1ConnectionTest, TakesNoRequestWhileTheClientDoesNotReadTheAnswers) {
  constexpr int kRequests = 20'000;
  listener_.per_connection_buffer_limit_bytes = 64 * 1024;
  start();
  client_->connection->pause_reading();
  std::string requests;
  for (int i = 0; i < kRequests; ++i) {
    requests += "GET /" + std::string(2'000, 'p') + " HTTP/1.1\r\nhost: h\r\n\r\n";
  }
  client_->connection->write(requests);
  int64_t taken = -1;
  while (taken != metric("http.t.downstream_rq_total")) {  // until nothing moves any more
    taken = metric("http.t.downstream_rq_total");
    for (int i = 0; i < 20; ++i) loop_.run_once(milliseconds(5));
  }
  EXPECT_GT(taken, 10);
  EXPECT_LT(taken, kRequests) << "all answers wait in the proxy";
  client_->connection->resume_reading();
  EXPECT_TRUE(run_until([&] { return metric("http.t.downstream_rq_2xx") == kRequests; }));
}

TEST_F(Http1ConnectionTest, PartOfAHeadIsNoRequestUnderWay) {
  start();
  client_->connection->write("GET /x HT");
  EXPECT_TRUE(run_until([&] { return manager_->stream_count() == 1; }));
  bool drained = false;
  manager_->drain([&] { drained = true; });
  EXPECT_TRUE(run_until([&] { return drained; }));
  EXPECT_TRUE(run_until([&] { return client_->end; }));
  EXPECT_EQ(client_->received, "");
}

TEST_F(Http1ConnectionTest, DrainFinishesWhatIsUnderWay) {
  start();
  ask("POST /x HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n", "100 Continue");
  Client idle(loop_, socket_->address());
  EXPECT_TRUE(run_until([&] { return manager_->connection_count() == 2; }));
  bool drained = false;
  manager_->drain([&] { drained = true; });
  EXPECT_TRUE(run_until([&] { return idle.end; }));
  EXPECT_FALSE(drained);
  const std::string all = ask_to_end("ab");
  EXPECT_THAT(all, HasSubstr("connection: close\r\n"));
  EXPECT_THAT(all, HasSubstr("at /x"));
  EXPECT_TRUE(run_until([&] { return drained; }));
}

TEST_F(Http1ConnectionTest, DrainWaitsForARequestLongerThanDrainTimeout) {
  listener_.http.drain_timeout = milliseconds(1);
  start();
  ask("POST /x HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n", "100 Continue");
  bool drained = false;
  manager_->drain([&] { drained = true; });
  bool later = false;
  net::Timer timer(loop_, [&] { later = true; });
  timer.arm(milliseconds(50));
  EXPECT_TRUE(run_until([&] { return later; }));
  EXPECT_FALSE(drained);
  EXPECT_EQ(manager_->stream_count(), 1u);
  EXPECT_THAT(ask_to_end("ab"), HasSubstr("at /x"));
  EXPECT_TRUE(run_until([&] { return drained; }));
}

TEST_F(Http1ConnectionTest, SpeaksHttp10WhenAllowed) {
  listener_.http.accept_http_10 = true;
  start();
  const std::string kept = ask("GET /x HTTP/1.0\r\nhost: h\r\nconnection: keep-alive\r\n\r\n", "at /x");
  EXPECT_THAT(kept, HasSubstr("connection: keep-alive\r\n"));
  const std::string all = ask_to_end("POST /echo HTTP/1.0\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc");
  EXPECT_THAT(all, Not(HasSubstr("chunked")));
  EXPECT_THAT(all, ::testing::EndsWith("\r\n\r\nabc"));
}

TEST_F(Http1ConnectionTest, DestroyingTheManagerEndsItsStreams) {
  start();
  client_->connection->write("GET /never HTTP/1.1\r\nhost: h\r\n\r\n");
  EXPECT_TRUE(run_until([&] { return manager_->stream_count() == 1; }));
  manager_.reset();
  EXPECT_TRUE(run_until([&] { return client_->end; }));
}

}  // namespace
}  // namespace inlay::proxy::downstream
