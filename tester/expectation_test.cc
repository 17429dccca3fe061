// SPDX-License-Identifier: Apache-2.0
#include "tester/expectation.h"

#include <gtest/gtest.h>

#include <map>

#include "tester/contradiction.h"

namespace inlay::tester {
namespace {

// Two requests, one of which a filter has answered after a call-out; then a step in which nothing is seen.
struct ExpectationTest : testing::Test {
  ExpectationTest() {
    transcript.begin_step("start");
    transcript.guest({.shown = "a: ready", .who = "a", .level = "info", .text = "ready"}, 0);
    transcript.begin_step("client GET /a");
    transcript.head("auth", "",
                    {.method = "POST", .path = "/check", .fields = {{":authority", "auth"}, {"x-user", "ann"}}});
    transcript.body("auth", "who");
    transcript.end("auth");
    transcript.guest({.shown = "a [warn]: denied: ann", .who = "a", .level = "warn", .text = "denied: ann"}, 0);
    transcript.head("client", "", {.status = "403", .fields = {{"content-type", "text/plain"}}});
    transcript.body("client", "not ");
    transcript.begin_step("wait 1s");
    transcript.body("client", "allowed");
    transcript.trailers("client", "", {{"x-sum", "1"}});
    transcript.end("client");
    transcript.begin_step("client GET /b");
    transcript.head("origin", "", {.method = "GET", .path = "/b", .fields = {{"x-a", "1"}, {"x-a", "2"}}});
    transcript.end("origin");
    transcript.head("client", "", {.status = "200"});
    transcript.end("client");
    transcript.line("client", "got close");
    transcript.line(kAccessLog, "200 /b");
    transcript.begin_step("wait 2s");
  }

  // Nothing where the line holds; "wrong: ..." for one that is none.
  std::string why(const std::string& line, size_t from = 0) {
    const auto words = split_words(line);
    EXPECT_TRUE(words);
    const auto expectation = parse_expectation(line, *words);
    if (!expectation) return "wrong: " + expectation.error().message;
    return contradiction(*expectation, {transcript, from,
                                        [this](const std::string& name) {
                                          const auto found = stats.find(name);
                                          return found == stats.end() ? "absent" : found->second;
                                        }})
        .value_or("");
  }

  Transcript transcript;
  std::map<std::string, std::string> stats = {{"wasmcustom.denied", "2"}, {"http.ingress.rq", "7"}};
};

TEST_F(ExpectationTest, OfMessagesOneMustBeSo) {
  for (const char* const line : {
           "expect client status 403",
           "expect client status 200",
           "expect client status = 200",
           "expect client status ~ /^4/",
           "expect no client status 500",
           "expect client header content-type",
           "expect client header Content-Type = text/plain",
           "expect client header content-type ~ /PLAIN/i",
           "expect client body = not allowed",
           "expect client body = \"not allowed\"",
           "expect client body ~ /allow.d$/",
           "expect client trailer x-sum = 1",
           "expect client response",
           "expect client closed",
           "expect client count = 2",
           "expect upstream path = /b",
           "expect upstream method = GET",
           "expect upstream header x-a = 2",
           "expect no upstream header cookie",
           "expect no upstream path = /a",
           "expect upstream request",
           "expect call auth",
           "expect call auth header host = auth",
           "expect call auth header :authority = auth",
           "expect call auth header x-user = ann",
           "expect call auth body = who",
           "expect call auth count < 2",
           "expect no client2 response",
           "expect no call other",
           "expect no client2 closed",
       }) {
    EXPECT_EQ(why(line), "") << line;
  }
}

TEST_F(ExpectationTest, WhatWasSeenInTheirPlaceIsSaid) {
  const std::pair<const char*, const char*> cases[] = {
      {"expect client status 500", "its status is \"403\", \"200\""},
      {"expect no client status 403", "its status is \"403\""},
      {"expect client header x-b", "the client got no header x-b"},
      {"expect upstream header x-a = 3", "its header x-a is \"1\", \"2\""},
      {"expect no call auth", "the cluster auth got 1"},
      {"expect call other", "the cluster other got no request"},
      {"expect client2 status 200", "the client2 got no response"},
      {"expect no client2 status 200", "the client2 got no response at all; `expect no ... response` is for that"},
      {"expect client count > 2", "the client got 2"},
      {"expect no client closed", "its connection has ended"},
      {"expect upstream closed", "its connection goes on"},
      {"expect no upstream request", "the upstream got 1"},
      {"expect client body = not", "its body is \"not allowed\", \"\""},
  };
  for (const auto& [line, expected] : cases) EXPECT_EQ(why(line), expected) << line;
}

TEST_F(ExpectationTest, LooksAtWhatCameSince) {
  EXPECT_EQ(why("expect client status 403", 1), "");
  EXPECT_EQ(why("expect client status 403", 2), "") << "it was still coming then";
  EXPECT_EQ(why("expect client status 403", 3), "its status is \"200\"");
  EXPECT_EQ(why("expect client status 200", 4), "the client got no response");
  EXPECT_EQ(why("expect log = ready", 1), "the log has \"denied: ann\"");
}

TEST_F(ExpectationTest, OfTheLogAndOfStatistics) {
  for (const char* const line : {
           "expect log = ready",
           "expect log ~ /^denied/",
           "expect log warn ~ /ann/",
           "expect no log error ~ /./",
           "expect no log info ~ /ann/",
           "expect access_log = 200 /b",
           "expect metric denied = 2",
           "expect metric wasmcustom.denied >= 2",
           "expect metric http.ingress.rq != 8",
           "expect metric nothing = absent",
           "expect metric denied != absent",
           "expect no trap",
           "expect no hazard",
           "expect no hazard head_twice",
       }) {
    EXPECT_EQ(why(line), "") << line;
  }
  EXPECT_EQ(why("expect log = denied"), "the log has \"ready\", \"denied: ann\"");
  EXPECT_EQ(why("expect log error ~ /a/"), "of level error the log has no such line, nor any other");
  EXPECT_EQ(why("expect no log ~ /ann/"), "the log has \"denied: ann\"");
  EXPECT_EQ(why("expect access_log ~ /^4/"), "the access log has \"200 /b\"");
  EXPECT_EQ(why("expect metric denied = 3"), "it is 2");
  EXPECT_EQ(why("expect metric nothing = 3"), "there is no metric nothing");
  EXPECT_EQ(why("expect metric nothing > 3"), "there is no metric nothing");
  EXPECT_EQ(why("expect trap"), "every VM is well");
}

TEST_F(ExpectationTest, OfWhatEndsEnvoy) {
  const std::string hazard = "plugin a in proxy_on_log replies; in Envoy this ends the process (hazard act_at_the_end)";
  transcript.guest({.shown = "x", .who = "host", .level = "warn", .text = hazard}, 0);
  transcript.guest(
      {.shown = "x", .who = "host", .level = "error", .text = "the VM of plugin a (FAIL_OPEN) has failed: x"}, 0);
  transcript.guest({.shown = "x", .who = "a", .level = "warn", .text = "mine (hazard head_twice)"}, 0);
  EXPECT_EQ(why("expect hazard"), "");
  EXPECT_EQ(why("expect hazard act_at_the_end"), "");
  EXPECT_EQ(why("expect trap"), "");
  EXPECT_EQ(why("expect hazard head_twice"), "there was no such hazard");
  EXPECT_EQ(why("expect no hazard"), "the log has: " + hazard);
}

TEST(Comparison, IsOfNumbers) {
  const auto holds = [](const char* text, const char* seen) {
    const auto comparison = Comparison::parse(text);
    EXPECT_TRUE(comparison) << text;
    return comparison && comparison->holds(seen);
  };
  EXPECT_TRUE(holds("= 2", "2"));
  EXPECT_TRUE(holds("=2", "2"));
  EXPECT_FALSE(holds("= 2", "absent"));
  EXPECT_TRUE(holds(">= -1", "0"));
  EXPECT_FALSE(holds("< 10", "10"));
  EXPECT_TRUE(holds("<= 10", "9"));
  EXPECT_FALSE(holds("> 1", "absent"));
}

}  // namespace
}  // namespace inlay::tester
