// SPDX-License-Identifier: Apache-2.0
#include "tester/case.h"

#include <gtest/gtest.h>

#include "tester/transcript.h"
#include "tester/wire.h"

namespace inlay::tester {
namespace {

TEST(Words, ArePartedBySpacesAndHeldTogetherByQuotes) {
  const auto words = split_words(R"(a  b="two words" "x\n\x41\"" "ab"*3)");
  ASSERT_TRUE(words);
  ASSERT_EQ(words->size(), 4u);
  EXPECT_EQ((*words)[1].text, "b=two words");
  EXPECT_FALSE((*words)[1].quoted);
  EXPECT_EQ((*words)[2].text, "x\nA\"");
  EXPECT_TRUE((*words)[2].quoted);
  EXPECT_EQ((*words)[3].text, "ababab");
}

TEST(Words, WhatDoesNotEndIsAnError) {
  EXPECT_FALSE(split_words(R"("abc)"));
  EXPECT_FALSE(split_words(R"("a\)"));
  EXPECT_FALSE(split_words(R"("\q")"));
  EXPECT_FALSE(split_words(R"("\xg0")"));
}

TEST(Words, AreShownAsTheyCanBeWritten) {
  EXPECT_EQ(quote("a\r\n\"\\\x01"), R"("a\r\n\"\\\x01")");
  EXPECT_EQ(quote(std::string(200, 'x')), "\"" + std::string(24, 'x') + "\"...(200 bytes)");
}

TEST(Case, IsRead) {
  const auto c = parse_case("cases/things/one.case", R"(about: One thing.
only: in process, it is about time

plugin a root_id=r guest=wat imports=log:3,done:0
  (func)

    indented
upstream auth answers 201 x=1 "body" trailer:t=2
upstream origin waits
listener
  per_connection_buffer_limit_bytes: 10
options workers=2 envoy_strict call_budget_ms=250
show start header:server
stats a b

client GET / x=1
#### expect
== client GET / x=1
== end
)",
                            Dialect::kConformance);
  ASSERT_TRUE(c) << c.error().to_string();
  EXPECT_EQ(c->subject, "things");
  EXPECT_EQ(c->name, "one");
  EXPECT_EQ(c->only, Transport::kInProcess);
  EXPECT_EQ(c->only_because, "it is about time");
  ASSERT_EQ(c->plugins.size(), 1u);
  EXPECT_EQ(c->plugins[0].guest, "wat");
  EXPECT_EQ(c->plugins[0].options, (Fields{{"root_id", "r"}}));
  EXPECT_EQ(c->plugins[0].imports.size(), 2u);
  EXPECT_EQ(c->plugins[0].text, "(func)\n\n  indented\n");
  ASSERT_EQ(c->upstreams.size(), 2u);
  EXPECT_EQ(c->upstream("origin")->behaviour, Upstream::Behaviour::kWaits);
  EXPECT_EQ(c->upstream("auth")->answer.body, "body");
  EXPECT_EQ(c->upstream("auth")->answer.trailers, (Fields{{"t", "2"}}));
  EXPECT_EQ(c->workers, 2u);
  EXPECT_EQ(c->call_budget->count(), 250);
  EXPECT_TRUE(c->envoy_strict);
  EXPECT_TRUE(c->shows("header:server"));
  EXPECT_EQ(c->stats.size(), 2u);
  ASSERT_EQ(c->steps.size(), 1u);
  EXPECT_EQ(c->steps[0].title, "client GET / x=1");
  EXPECT_EQ(split_steps(c->expected).size(), 2u);
}

TEST(Case, HasTranscriptsForEnvoyBehindItsOwn) {
  const std::string text =
      "about: x.\nclient GET /\n#### expect\n== end\n#### expect in envoy 1.36.4 1.37.0\n== end\na: y\n"
      "#### expect in envoy 1.40.0\n== end\na: z\n";
  const auto c = parse_case("cases/things/one.case", text, Dialect::kConformance);
  ASSERT_TRUE(c) << c.error().to_string();
  EXPECT_EQ(c->expected, "== end\n");
  ASSERT_EQ(c->in_envoy.size(), 2u);
  EXPECT_EQ(*c->expected_in_envoy("1.37.0"), "== end\na: y\n");
  EXPECT_EQ(*c->expected_in_envoy("1.40.0"), "== end\na: z\n");
  EXPECT_EQ(c->expected_in_envoy("1.39.3"), nullptr);
}

TEST(Transcript, KeepsThreadsApart) {
  Transcript transcript;
  transcript.begin_step("one");
  transcript.guest("a: worker", 7);
  transcript.guest("a: main", 0);
  transcript.guest("host [error]: main", 0);
  transcript.guest("nobody's");
  transcript.guest("a: worker again", 7);
  EXPECT_EQ(transcript.text(), "== one\na: main\nhost [error]: main\na: worker\na: worker again\nnobody's\n");
}

TEST(Case, OfTcpHasNetworkFiltersAndAnOriginThatAccepts) {
  const auto c = parse_case("cases/tcp/one.case", R"(about: One thing.
tcp
  idle_timeout: 1s
access_log: %BYTES_SENT% "sent"
plugin a
  on new_connection: return pause
upstream other refuses
client connects
origin sends "hello" end
)",
                            Dialect::kConformance);
  ASSERT_TRUE(c) << c.error().to_string();
  EXPECT_TRUE(c->tcp);
  EXPECT_EQ(c->tcp_proxy, "idle_timeout: 1s\n");
  EXPECT_EQ(c->access_log, "%BYTES_SENT% \"sent\"");
  EXPECT_TRUE(c->plugins[0].network);
  EXPECT_EQ(c->upstream("origin")->behaviour, Upstream::Behaviour::kAccepts);
  EXPECT_EQ(c->upstream("other")->behaviour, Upstream::Behaviour::kRefuses);
  EXPECT_EQ(c->steps.size(), 2u);
}

TEST(WireReader, ReadsBytesWithoutAProtocol) {
  Transcript transcript;
  transcript.set_actors({"client"});
  transcript.begin_step("s");
  WireReader reader(WireReader::Kind::kBytes, "client", transcript, {});
  reader.feed("GET ");
  reader.feed("me\r\n\r\n");
  reader.on_close(false);
  reader.on_close(true);
  EXPECT_EQ(transcript.text(), "== s\nclient got \"GET me\\r\\n\\r\\n\"\nclient got end\n");
}

TEST(Case, OfTheSuiteBeginsWithWhatItIsAbout) {
  const auto c = parse_case("one.case", "client GET /\n", Dialect::kConformance);
  ASSERT_FALSE(c);
  EXPECT_EQ(c.error().message, "a case begins with 'about: ' and a sentence");
}

TEST(Transcript, GroupsByActorAndJoinsBodies) {
  Transcript transcript;
  transcript.set_actors({"origin", "client"});
  transcript.begin_step("one");
  transcript.head("client", "got 200", {.status = "200"});
  transcript.guest("a: hello");
  transcript.body("client", "ab");
  transcript.head("origin", "got GET /", {});
  transcript.end("origin");
  transcript.body("client", "cd");
  transcript.end("client");
  EXPECT_EQ(transcript.text(),
            "== one\na: hello\norigin got GET / end\nclient got 200\nclient got body \"abcd\" end\n");
}

TEST(Transcript, ADifferenceShowsBothSides) {
  EXPECT_EQ(difference("a\nb\nc\n", "a\nx\nc\nd\n"), "  a\n- b\n+ x\n  c\n+ d\n");
}

TEST(Case, MayBeForOneProtocol) {
  const std::string head = "about: x.\nonly: sockets, a\nonly: ";
  const auto c = parse_case("one.case", head + "HTTP/1, b, c\nclient GET /\n", Dialect::kConformance);
  ASSERT_TRUE(c) << c.error().to_string();
  EXPECT_EQ(c->only, Transport::kSockets);
  EXPECT_EQ(c->only_because, "a");
  EXPECT_EQ(c->only_protocol, Protocol::kHttp1);
  EXPECT_EQ(c->only_protocol_because, "b, c");
  EXPECT_FALSE(c->runs_by(Protocol::kHttp2));
  const auto other = parse_case("one.case", head + "HTTP/2, b\nclient GET /\n", Dialect::kConformance);
  ASSERT_TRUE(other) << other.error().to_string();
  EXPECT_FALSE(other->runs_by(Protocol::kHttp1));
  EXPECT_TRUE(other->runs_by(Protocol::kHttp2));
}

TEST(Case, OfOtherBytesThanHttpHasNoRunByHttp2) {
  const auto runs = [](const std::string& lines) {
    const auto c = parse_case("one.case", "about: x.\n" + lines + "client GET /\n", Dialect::kConformance);
    EXPECT_TRUE(c);
    return c && c->runs_by(Protocol::kHttp2);
  };
  EXPECT_TRUE(runs("plugin a\n"));
  EXPECT_FALSE(runs("tcp\nplugin a\n"));
  EXPECT_FALSE(runs("plugin a network\n"));
  EXPECT_FALSE(runs("only: in process, x\n"));
}

TEST(Case, MayHaveATranscriptByHttp2) {
  const std::string text =
      "about: x.\nclient GET /\n#### expect\n== one\n#### expect by http2\n== two\n#### expect in envoy 1.40.0\n== "
      "three\n";
  const auto c = parse_case("one.case", text, Dialect::kConformance);
  ASSERT_TRUE(c) << c.error().to_string();
  EXPECT_EQ(c->expected_by(Protocol::kHttp1), "== one\n");
  EXPECT_EQ(c->expected_by(Protocol::kHttp2), "== two\n");
  EXPECT_EQ(*c->expected_in_envoy("1.40.0"), "== three\n");
  const auto same = parse_case("one.case", "about: x.\nclient GET /\n#### expect\n== one\n", Dialect::kConformance);
  ASSERT_TRUE(same);
  EXPECT_EQ(same->expected_by(Protocol::kHttp2), "== one\n");
}

struct WireTest : testing::Test {
  WireTest() {
    transcript.set_actors({"peer"});
    transcript.begin_step("s");
  }
  std::string seen() const { return transcript.text().substr(5); }
  Transcript transcript;
  std::vector<std::string> shown;
};

TEST_F(WireTest, ReadsResponsesHoweverTheyAreCut) {
  const std::string bytes =
      "HTTP/1.1 100 Continue\r\n\r\n"
      "HTTP/1.1 200 OK\r\nX-A: 1\r\ndate: now\r\ncontent-length: 3\r\n\r\nabc"
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\nt: 1\r\n\r\n"
      "HTTP/1.1 204 No Content\r\n\r\n";
  const std::string expected =
      "peer got 100\npeer got 200 x-a=1 content-length=3\npeer got body \"abc\" end\npeer got 200\npeer got body "
      "\"def\"\npeer got trailers t=1 end\npeer got 204 end\n";
  for (const size_t cut : {size_t{1}, size_t{7}, bytes.size()}) {
    transcript = Transcript();
    transcript.set_actors({"peer"});
    transcript.begin_step("s");
    WireReader reader(WireReader::Kind::kResponses, "peer", transcript, shown);
    for (size_t at = 0; at < bytes.size(); at += cut) reader.feed(std::string_view(bytes).substr(at, cut));
    EXPECT_EQ(seen(), expected) << cut;
    EXPECT_EQ(reader.messages(), 3u);
  }
}

TEST_F(WireTest, AHeadOnlyAnswerAndABodyThatEndsWithTheConnection) {
  WireReader reader(WireReader::Kind::kResponses, "peer", transcript, shown);
  reader.expect("HEAD");
  reader.feed("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabc");
  reader.on_close(false);
  EXPECT_EQ(seen(), "peer got 200 content-length=3 end\npeer got 200\npeer got body \"abc\" end\npeer got close\n");
}

TEST_F(WireTest, RequestsShowTheirHostFirst) {
  WireReader reader(WireReader::Kind::kRequests, "peer", transcript, shown);
  reader.feed("POST /a?b HTTP/1.1\r\nx: y z\r\nhost: h\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(seen(), "peer got POST /a?b host=h x=\"y z\" end\n");
}

}  // namespace
}  // namespace inlay::tester
