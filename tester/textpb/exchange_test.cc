// SPDX-License-Identifier: Apache-2.0
#include "tester/textpb/exchange.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/temporary_directory.h"

namespace inlay::tester::textpb {
namespace {

// The case of a file's first test, line by line; or why there is none.
std::string said(const std::string& text, const std::string& path = "x.textpb") {
  const auto suite = read_suite(text, path);
  if (!suite) return suite.error().to_string();
  const auto c = exchange_of(*suite, suite->tests.at(0), {"m.wasm", "{}"});
  if (!c) return "none: " + c.error().message;
  EXPECT_EQ(c->plugins.at(0).module, "m.wasm");
  EXPECT_EQ(c->plugins.at(0).text, "{}");
  std::string lines;
  for (const auto& expectation : c->at_start) lines += expectation.line + "\n";
  for (const Step& step : c->steps) {
    lines += step.title;
    for (const auto& [name, value] : step.act == Step::Act::kHead ? step.answer.headers : step.fields) {
      lines += " " + name + "=" + value;
    }
    lines += std::string(step.chunked ? " chunked" : "") + (step.end ? " end\n" : "\n");
    for (const auto& expectation : step.expectations) lines += expectation.line + "\n";
  }
  return lines;
}

TEST(Exchange, ARequestIsSentAndSeenByTheUpstream) {
  EXPECT_EQ(said(R"(test { name: "a" request_headers {
    input { header { key: ":path" value: "/p" } header { key: ":authority" value: "h" } header { key: "X-A" value: "1" } }
    result {
      has_header { key: ":path" value: "/q" }
      has_header { key: "x-b" value: "\"2\"" }
      has_header { key: "x-d" value: "a.b, c" }
      no_header { key: "X-A" }
      headers { regex: "x-c: .*" invert: true }
      log { regex: "said .*" }
    } } })"),
            "client GET /p host=h X-A=1\n"
            "expect upstream request\n"
            "expect upstream path = \"/q\"\n"
            "expect upstream header x-b = \"\\\"2\\\"\"\n"
            "expect upstream header x-d ~ /(?:\\A|, )a\\.b(?:, |\\z)/\n"
            "expect upstream header x-d ~ /(?:\\A|, )c(?:, |\\z)/\n"
            "expect no upstream header x-a\n"
            "expect no upstream header x-c ~ /\\A(?:.*)\\z/\n"
            "expect log ~ /\\A(?:said .*)\\z/\n"
            "expect client response\n");
}

TEST(Exchange, AResponseIsWhatTheUpstreamAnswers) {
  EXPECT_EQ(said(R"(test { name: "a"
    response_headers { input { header { key: ":status" value: "404" } header { key: "x-a" value: "1" } }
      result { has_header { key: ":status" value: "200" } } }
    response_body { input { content: "ab" } result { body { exact: "A\nB" } } } num_chunks: 2
    plugin_init { log { exact: "ready" } } })"),
            "expect log = \"ready\"\n"
            "client GET /\n"
            "origin head 404 x-a=1\n"
            "origin body \"a\"\n"
            "origin body \"b\" end\n"
            "expect client response\n"
            "expect client status = \"200\"\n"
            "expect client body = \"A\\x0aB\"\n");
}

TEST(Exchange, AnImmediateResponseEndsTheRequest) {
  EXPECT_EQ(said(R"(test { name: "a"
    request_headers { input { content: "GET / HTTP/1.1\nhost: h\n" } result { has_header { key: "x-a" value: "1" } no_header { key: ":path" } } }
    request_body { input { content: "x" } result { immediate { http_status: 403 } body { exact: "no" } } }
    response_headers {} })"),
            "client GET / host=h chunked\n"
            "client body \"x\" end\n"
            "expect no upstream request\n"
            "expect client header x-a = \"1\"\n"
            "expect client status 403\n"
            "expect client body = \"no\"\n"
            "expect client response\n");
}

TEST(Exchange, BodiesOfSeveralCallsAreOne) {
  EXPECT_EQ(said(R"(test { name: "a" request_headers { input { header { key: "content-length" value: "4" } } }
    request_body { input { content: "ab" } result { body { exact: "AB" } } }
    request_body { input { content: "cd" } result { body { exact: "CD" } } } })"),
            "client POST / content-length=4\n"
            "client body \"ab\"\n"
            "client body \"cd\" end\n"
            "expect upstream request\n"
            "expect upstream body = \"ABCD\"\n"
            "expect client response\n");
  EXPECT_EQ(said(R"(test { name: "a" request_headers { input { header { key: "content-length" value: "2" } } } })"),
            "client POST / content-length=2\n"
            "client body \"xx\" end\n"
            "expect upstream request\n"
            "expect client response\n");
}

TEST(Exchange, WhatMeansNothingAroundAProxyHasItsReason) {
  const auto none = [](const std::string& in_test) { return said("test { name: 'a' " + in_test + " }"); };
  EXPECT_EQ(none("properties { path: 'a' value: 'b' }"), "none: it sets properties, which only traffic has");
  EXPECT_EQ(said("env { time_secs: 5 } test { name: 'a' }"), "none: it sets the time, which is real here");
  EXPECT_EQ(none("request_headers { input { header { key: ':scheme' value: 'https' } } }"),
            "none: its request has the scheme https, and there is no TLS here");
  EXPECT_EQ(none("request_headers { result { no_header { key: ':scheme' } } }"),
            "none: it looks at :scheme, which the upstream does not get");
  EXPECT_EQ(none("response_headers { result { headers { regex: '.*a.*' } } }"),
            "none: its expectation \".*a.*\" names no header to look at");
  EXPECT_EQ(none("request_body { result { body { regex: 'a' } } } request_body { }"),
            "none: it looks at pieces of a body, which comes as one");
  EXPECT_EQ(none("request_headers { result { log { invert: true exact: 'a' } } }"),
            "none: it wants no such line in the log of one phase, and here all have one log");
  EXPECT_EQ(none("request_headers { input { header { key: 'content-length' value: '2' } } } request_body { }"),
            "none: its content-length is not that of its body");
  EXPECT_EQ(none("request_headers { input { header { key: 'content-length' value: 'x' } } }"),
            "none: its content-length is \"x\"");
  EXPECT_EQ(none("request_headers { input { header { key: ':odd' value: 'x' } } }"),
            "none: it sends :odd, which is no part of a message");
}

TEST(Exchange, FilesStandBesideTheSuite) {
  const TemporaryDirectory folder("inlay-exchange-");
  std::ofstream(folder.file("body")) << "text";
  EXPECT_NE(said("test { name: 'a' request_body { input { file: 'body' } result { body { file: 'body' } } } }",
                 folder.file("x.textpb"))
                .find("expect upstream body = \"text\""),
            std::string::npos);
  EXPECT_NE(said("test { name: 'a' request_body { input { file: 'gone' } } }", folder.file("x.textpb")).find("none: "),
            std::string::npos);
}

}  // namespace
}  // namespace inlay::tester::textpb
