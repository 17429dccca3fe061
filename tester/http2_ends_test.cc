// SPDX-License-Identifier: Apache-2.0
// A client and an upstream of a case that speak HTTP/2, with no proxy between them.
#include <gtest/gtest.h>

#include <chrono>

#include "tester/socket_client.h"
#include "tester/socket_upstream.h"

namespace inlay::tester {
namespace {

class Http2Ends : public testing::Test {
 protected:
  explicit Http2Ends(const std::string& upstream = "upstream origin answers 200 x-b=2 \"hello\"") {
    auto parsed = parse_case("one.case", "about: x.\n" + upstream + "\nclient GET /\n", Dialect::kConformance);
    EXPECT_TRUE(parsed);
    if (parsed) case_ = *std::move(parsed);
    transcript_.set_actors({"origin", "client"});
    transcript_.begin_step("s");
    client_ = make_http2_client("client", listener_.port(), run_);
  }

  void sends(const std::string& line) {
    auto words = split_words("client " + line);
    ASSERT_TRUE(words);
    const auto step = parse_step("client " + line, *words);
    ASSERT_TRUE(step) << step.error().to_string();
    client_->request(*step);
  }
  // Until that has been seen of it, or for long enough on any machine; what has.
  std::string seen(const std::string& expected) {
    const auto begin = std::chrono::steady_clock::now();
    while (text() != expected && std::chrono::steady_clock::now() - begin < std::chrono::seconds(10)) turn();
    return text();
  }
  std::string text() const { return transcript_.text().substr(5); }
  void turn() {
    client_->turn();
    if (upstream_) upstream_->turn();
    if (upstream_) return;
    Socket accepted = listener_.accept();
    if (accepted.open()) upstream_ = make_http2_upstream("origin", std::move(accepted), run_);
  }
  void wait_for_the_request() {
    while (!upstream_ || upstream_->waiting() == nullptr) turn();
  }

  Case case_;
  Transcript transcript_;
  SocketRun run_{
      tester::Run{case_, engine::EngineKind::kInterp, transcript_, {}, {}, "", "", nullptr, Protocol::kHttp2}};
  Socket listener_ = Socket::listen();
  std::unique_ptr<SocketClient> client_;
  std::unique_ptr<SocketUpstream> upstream_;
};

TEST_F(Http2Ends, ShowAMessageAsByHttp1) {
  sends("POST /a x-a=1 \"abc\"");
  const std::string expected =
      "origin got POST /a host=test x-a=1 content-length=3\norigin got body \"abc\" end\n"
      "client got 200 x-b=2 content-length=5\nclient got body \"hello\" end\n";
  EXPECT_EQ(seen(expected), expected);
}

TEST_F(Http2Ends, AHeadRequestIsAnsweredByAHead) {
  sends("HEAD /");
  const std::string expected = "origin got HEAD / host=test end\nclient got 200 x-b=2 content-length=5 end\n";
  EXPECT_EQ(seen(expected), expected);
}

TEST_F(Http2Ends, ABodyEndsWithItsLengthOrWhereTheStepSaysSo) {
  const std::string answered = "client got 200 x-b=2 content-length=5\nclient got body \"hello\" end\n";
  const std::string first = "origin got POST / host=test content-length=4\norigin got body \"abcd\" end\n";
  sends("POST / content-length=4");
  client_->body("ab", false);
  client_->body("cd", false);
  EXPECT_EQ(seen(first + answered), first + answered);
  const std::string second = "origin got POST /2 host=test\norigin got body \"ef\"\norigin got trailers x-t=1 end\n";
  sends("POST /2 chunked");
  client_->body("ef", false);
  client_->trailers({{"x-t", "1"}});
  EXPECT_EQ(seen(first + second + answered + answered), first + second + answered + answered);
}

class WaitingHttp2Ends : public Http2Ends {
 protected:
  WaitingHttp2Ends() : Http2Ends("upstream origin waits") {}
};

TEST_F(WaitingHttp2Ends, AClientResetsItsStreamAndHearsThatThisWasRead) {
  sends("GET /");
  wait_for_the_request();
  client_->resets();
  EXPECT_FALSE(client_->is_read());
  const std::string expected = "origin got GET / host=test end\norigin got reset\n";
  EXPECT_EQ(seen(expected), expected);
  while (!client_->is_read()) turn();
  EXPECT_FALSE(client_->closed());
}

TEST_F(WaitingHttp2Ends, AnUpstreamContinuesAnswersWithTrailersAndResets) {
  sends("GET /1");
  wait_for_the_request();
  upstream_->waiting()->continues();
  upstream_->waiting()->head({}, false, true);
  upstream_->waiting()->body("x", false);
  upstream_->waiting()->trailers({{"x-t", "1"}});
  EXPECT_EQ(upstream_->waiting(), nullptr);
  sends("GET /2");
  wait_for_the_request();
  upstream_->waiting()->resets();
  const std::string expected =
      "origin got GET /1 host=test end\norigin got GET /2 host=test end\n"
      "client got 100\nclient got 200\nclient got body \"x\"\nclient got trailers x-t=1 end\nclient got reset\n";
  EXPECT_EQ(seen(expected), expected);
}

TEST_F(WaitingHttp2Ends, TheEndOfTheConnectionIsToldOfWhatWaits) {
  sends("GET /");
  wait_for_the_request();
  client_->ends();
  const std::string expected = "origin got GET / host=test end\norigin got close\n";
  EXPECT_EQ(seen(expected), expected);
  EXPECT_FALSE(upstream_->open());
}

}  // namespace
}  // namespace inlay::tester
