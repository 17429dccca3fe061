// SPDX-License-Identifier: Apache-2.0
#include "conformance/differences.h"

#include <gtest/gtest.h>

#include "conformance/record.h"
#include "conformance/rules.h"

namespace inlay::conformance {
namespace {

const std::vector<std::string> kVersions = {"1.40.0", "1.39.3"};

constexpr const char* kText = R"(# What Envoy does.

difference host_log
  why: Other words.
  page: README.md
  case traps/one 1.39.3
  case traps/two

difference held
  why: Nobody answers.
  page: README.md
  case traps/three
)";

Case a_case(const std::string& name, const std::string& expected) {
  auto c = tester::parse_case("cases/traps/" + name + ".case", "about: x.\nclient GET /\n#### expect\n" + expected,
                              tester::Dialect::kConformance);
  EXPECT_TRUE(c);
  return c ? *c : Case{};
}

Differences parsed(std::string_view text) {
  auto read = Differences::parse(text);
  EXPECT_TRUE(read) << read.error().to_string();
  return read ? *std::move(read) : Differences{};
}

TEST(Differences, AreReadAndWritten) {
  const Differences read = parsed(kText);
  ASSERT_EQ(read.all().size(), 2u);
  EXPECT_EQ(read.all()[0].why, "Other words.");
  EXPECT_EQ(read.all()[0].page, "README.md");
  EXPECT_EQ(read.of(a_case("one", ""), "1.39.3"), std::vector<std::string>{"host_log"});
  EXPECT_TRUE(read.of(a_case("one", ""), "1.40.0").empty());
  EXPECT_EQ(read.of(a_case("two", ""), "1.40.0"), std::vector<std::string>{"host_log"});
  EXPECT_EQ(read.text(), kText);
}

TEST(Differences, AMistakeNamesItsLine) {
  const auto read = Differences::parse("difference a\n  whi: x\n");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().where, "differences:2");
  EXPECT_FALSE(Differences::parse("  case traps/one\n"));
}

TEST(Differences, SayWhatIsWrongWithThem) {
  std::vector<Case> cases = {a_case("one", "== end\n"), a_case("two", "== end\n"), a_case("three", "== end\n")};
  EXPECT_EQ(parsed(kText).mistakes(cases, kVersions),
            (std::vector<std::string>{"traps/three: has no transcript for Envoy 1.40.0, and held is no rule",
                                      "traps/three: has no transcript for Envoy 1.39.3, and held is no rule"}));
  cases[2].in_envoy = {{{"1.39.3"}, "== end\n"}, {{"1.40.0", "2.0"}, "== end\nx\n"}};
  cases[0].in_envoy = {{{"1.40.0"}, "== end\nx\n"}};
  EXPECT_EQ(parsed(kText).mistakes(cases, kVersions),
            (std::vector<std::string>{"traps/one: no difference says why it is another one in Envoy 1.40.0",
                                      "traps/three: scripts/pins has no Envoy 2.0",
                                      "traps/three: the transcript for Envoy 1.39.3 is the same one"}));
  EXPECT_EQ(parsed("difference a\n  case traps/none 1\n").mistakes({}, kVersions),
            (std::vector<std::string>{"a: says not why", "a: names no page that is there",
                                      "a, traps/none: there is no such case, or it does not run in Envoy",
                                      "a, traps/none: scripts/pins has no Envoy 1"}));
}

TEST(Judge, TakesWhatAgrees) {
  const Case c = a_case("four", "== end\na: x\n");
  EXPECT_EQ(judge(c, "1.40.0", parsed(kText), "== end\na: x\n").kind, Verdict::Kind::kAgrees);
  const Verdict no = judge(c, "1.40.0", parsed(kText), "== end\na: y\n");
  EXPECT_EQ(no.kind, Verdict::Kind::kUnexplained);
  EXPECT_EQ(no.text, "  == end\n- a: x\n+ a: y\n");
}

TEST(Judge, LeavesOutWhatARuleLeavesOutAndNoMore) {
  const Case c = a_case("two", "== end\na: x\nhost [error]: trap\n");
  EXPECT_EQ(judge(c, "1.40.0", parsed(kText), "== end\na: x\nhost [error]: crash\n").kind, Verdict::Kind::kWords);
  EXPECT_EQ(judge(c, "1.40.0", parsed(kText), "== end\na: y\nhost [error]: crash\n").kind, Verdict::Kind::kUnexplained);
}

TEST(Judge, RefusesARecordThatIsNotNeeded) {
  const Case c = a_case("two", "== end\na: x\n");
  EXPECT_EQ(judge(c, "1.40.0", parsed(kText), "== end\na: x\n").text,
            "conformance/differences has it under host_log, which it does not need\n");
}

TEST(Judge, LeavesOutOfATranscriptForEnvoyOnlyWhatIsUnsteady) {
  Case c = a_case("six", "== end\na: x\n");
  c.in_envoy = {{{"1.40.0"}, "== end\na: y\nclient got reset\n"}};
  const Differences differences = parsed("difference reset\n  case traps/six\ndifference host_log\n  case traps/six\n");
  EXPECT_EQ(judge(c, "1.40.0", differences, "== end\na: y\nclient got end\n").kind, Verdict::Kind::kRecorded);
  EXPECT_EQ(judge(c, "1.40.0", differences, "== end\na: y\nhost [warn]: z\nclient got end\n").kind,
            Verdict::Kind::kUnexplained);
}

TEST(Judge, ComparesWithTheTranscriptOfTheVersion) {
  Case c = a_case("three", "== end\na: x\n");
  c.in_envoy = {{{"1.40.0"}, "== end\na: y\n"}};
  EXPECT_EQ(judge(c, "1.40.0", parsed(kText), "== end\na: y\n").kind, Verdict::Kind::kRecorded);
  EXPECT_EQ(judge(c, "1.40.0", parsed(kText), "== end\na: x\n").kind, Verdict::Kind::kUnexplained);
}

TEST(Judge, ComparesARunByHttp2WithItsOwnTranscript) {
  Case c = a_case("three", "== end\na: x\n");
  c.expected_by_http2 = "== end\na: z\n";
  EXPECT_EQ(judge(c, "1.40.0/http2", parsed(""), "== end\na: z\n").kind, Verdict::Kind::kAgrees);
  EXPECT_EQ(judge(c, "1.40.0/http2", parsed(""), "== end\na: x\n").kind, Verdict::Kind::kUnexplained);
  EXPECT_EQ(judge(c, "1.40.0", parsed(""), "== end\na: x\n").kind, Verdict::Kind::kAgrees);
}

TEST(Differences, SayNothingOfWaysInWhichACaseDoesNotRun) {
  Case c = a_case("three", "== end\n");
  c.only_protocol = Protocol::kHttp1;
  c.in_envoy = {{{"1.40.0"}, "== end\nx\n"}};
  const std::vector<std::string> ways = {"1.40.0", "1.40.0/http2"};
  Differences all = parsed("difference held\n  why: x\n  page: README.md\n  case traps/three\n");
  EXPECT_EQ(all.mistakes({c}, ways), std::vector<std::string>{});
  all.put("held", c, "1.40.0", true, ways);
  EXPECT_TRUE(all.all()[0].cases[0].versions.empty());
}

TEST(Rules, LeaveOutWhatACrashCuts) {
  const auto left = [](const std::string& step) { return apply_rules({}, step); };
  const std::string crash = "a: on_done 2\nenvoy: ended by signal Segmentation fault\n";
  EXPECT_EQ(left(crash + "origin got GET / end\nclient got 200\nclient got body \"x\" end\nclient got close\n"),
            crash + "origin got GET / end\n");
  EXPECT_EQ(left(crash + "origin got GET / end\nclient got reset\norigin got close\n"),
            crash + "origin got GET / end\n");
  const std::string whole = "a: on_done 2\nclient got 200\nclient got close\n";
  EXPECT_EQ(left(whole), whole);
}

TEST(Rules, LeaveOutWhatTheySay) {
  EXPECT_EQ(apply_rules({"host_log"}, "a: x\nhost [warn]: y\n"), "a: x\n");
  EXPECT_EQ(apply_rules({"reset"}, "origin got reset\n"), "origin got end\n");
  EXPECT_EQ(apply_rules({"recursion"}, "a: on_log 2\na:   reply\na: on_log 2\na:   reply\na: on_log 2\na:   reply\n"),
            "a: on_log 2\na:   reply\n");
}

TEST(Record, FindsTheFewestRulesElseKeepsTheTranscript) {
  Differences differences = parsed(kText);
  Case c = a_case("five", "== end\na: x\nhost [error]: trap\n");
  record(c, differences, "1.40.0", "== end\na: x\nhost [error]: crash\n", kVersions);
  EXPECT_EQ(differences.of(c, "1.40.0"), std::vector<std::string>{"host_log"});
  EXPECT_TRUE(c.in_envoy.empty());

  record(c, differences, "1.39.3", "== end\na: y\n", kVersions);
  EXPECT_EQ(differences.of(c, "1.39.3"), std::vector<std::string>{"unexplained"});
  EXPECT_EQ(*c.expected_in_envoy("1.39.3"), "== end\na: y\n");

  record(c, differences, "1.39.3", c.expected, kVersions);
  record(c, differences, "1.40.0", c.expected, kVersions);
  EXPECT_TRUE(differences.of(c, "1.39.3").empty());
  EXPECT_TRUE(differences.of(c, "1.40.0").empty());
  EXPECT_TRUE(c.in_envoy.empty());
}

}  // namespace
}  // namespace inlay::conformance
