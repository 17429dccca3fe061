// SPDX-License-Identifier: Apache-2.0
#include "conformance/module_world.h"

#include <gtest/gtest.h>

namespace inlay::conformance {
namespace {

constexpr const char* kSeen = "== client GET /\na: on_tick 1\na: on_request_headers 2\nauth got GET / host=x end\n";

TEST(ModuleWorld, TheMainThreadsLinesMayStandInFront) {
  EXPECT_TRUE(agrees_as_module(kSeen, kSeen, false));
  EXPECT_TRUE(agrees_as_module(
      "== client GET /\na: on_tick 1\na: on_tick 1\na: on_request_headers 2\nauth got GET / host=x end\n", kSeen,
      false));
  EXPECT_FALSE(agrees_as_module(
      "== client GET /\na: on_log 2\na: on_tick 1\na: on_request_headers 2\nauth got GET / host=x end\n", kSeen,
      false));
  EXPECT_FALSE(agrees_as_module("== client GET /\na: on_request_headers 2\nauth got GET / host=x end\n", kSeen, false));
}

TEST(ModuleWorld, WordsOfTheHostsLogAreLeftAside) {
  EXPECT_TRUE(agrees_as_module("== x\nhost [error]: one\nclient got 503 end\n",
                               "== x\nhost [warn]: two\nhost [error]: three\nclient got 503 end\n", false));
  EXPECT_FALSE(agrees_as_module("== x\nclient got 503 end\n", "== x\nclient got 500 end\n", false));
}

TEST(ModuleWorld, AtTheStartTheMainThreadsLinesStandAnywhere) {
  const char* const seen = "== start\none v: on_configure 1\ntwo v: on_configure 1\n";
  const auto agrees = [&](const std::string& expected) {
    return agrees_as_module("== start\n" + expected, seen, false);
  };
  EXPECT_TRUE(agrees("one v: on_configure 1\ntwo v: on_configure 1\none v: on_configure 1\ntwo v: on_configure 1\n"));
  EXPECT_FALSE(agrees("two v: on_configure 1\none v: on_configure 1\n"));
  EXPECT_FALSE(agrees("one v: on_configure 1\ntwo v: on_configure 1\ntwo v: on_configure 2\n"));
  EXPECT_FALSE(agrees("one v: on_configure 1\n"));
}

TEST(ModuleWorld, AtTheEndTheMainThreadsRootContextMayBeTheLastOne) {
  EXPECT_TRUE(agrees_as_module("== end\na: on_done 1\na:   trap\n", "== end\n", false));
  EXPECT_FALSE(agrees_as_module("== end\na: on_done 1\na: on_done 1\n", "== end\n", false));
  EXPECT_FALSE(agrees_as_module("== end\na: on_done 2\n", "== end\n", false));
}

TEST(ModuleWorld, ACallMayNameEnvoysAddress) {
  const char* const forwarded = "== x\nauth got GET / host=x x-forwarded-for=10.0.0.1 end\n";
  EXPECT_TRUE(agrees_as_module("== x\nauth got GET / host=x end\n", forwarded, true));
  EXPECT_FALSE(agrees_as_module("== x\nauth got GET / host=x end\n", forwarded, false));
  EXPECT_FALSE(agrees_as_module(forwarded, "== x\nauth got GET / host=x end\n", true));
}

TEST(ModuleWorld, ARecordWithoutNeedIsWrongUnlessItIsOfChance) {
  Case c;
  c.subject = "s";
  c.name = "n";
  c.expected = "== x\nclient got 503 end\n";
  const auto judged = [&](const std::string& difference, const std::string& seen) {
    const auto differences = Differences::parse("difference " + difference + "\n  why: so.\n  case s/n 1.40.0\n");
    EXPECT_TRUE(differences);
    return judge_as_module(c, "1.40.0", Differences{}, *differences, seen).kind;
  };
  using Kind = ModuleVerdict::Kind;
  const std::string other = "== x\nclient got 200 end\n";
  EXPECT_EQ(judged("one", other), Kind::kRecorded);
  EXPECT_EQ(judged("one", c.expected), Kind::kUnexplained);
  EXPECT_EQ(judged(kByChance, other), Kind::kRecorded);
  EXPECT_EQ(judged(kByChance, c.expected), Kind::kAgrees);
}

// A few cases in the Envoy that `make test` takes; `make envoy_module` runs them all.
TEST(ModuleWorld, AFewCasesAreAsWithTheWasmFilter) {
  const auto envoy = find_envoy(tested_envoy());
  if (!envoy) GTEST_SKIP() << envoy.error().to_string();
  if (!loads_modules(envoy->version)) GTEST_SKIP() << "Envoy " << envoy->version << " loads no such module";
  const auto cases = tester::read_cases(INLAY_SOURCE_DIR "/conformance/cases");
  ASSERT_TRUE(cases) << cases.error().to_string();
  const auto differences = read_differences(kModuleDifferences);
  ASSERT_TRUE(differences) << differences.error().to_string();
  const auto of_wasm_filter = read_differences();
  ASSERT_TRUE(of_wasm_filter) << of_wasm_filter.error().to_string();
  for (const Case& c : *cases) {
    if (c.title() != "headers/edits_of_the_request" && c.title() != "local_reply/with_a_body" &&
        c.title() != "http_call/answer" && c.title() != "traps/unreachable")
      continue;
    const auto seen = run_as_module(c, *envoy, envoy->version, *of_wasm_filter);
    if (!seen && seen.error().code == ErrorCode::kNotFound) GTEST_SKIP() << seen.error().to_string();
    ASSERT_TRUE(seen) << c.path << ": " << seen.error().to_string();
    const ModuleVerdict verdict = judge_as_module(c, envoy->version, *of_wasm_filter, *differences, *seen);
    EXPECT_NE(verdict.kind, ModuleVerdict::Kind::kUnexplained) << c.path << "\n" << verdict.text;
  }
}

}  // namespace
}  // namespace inlay::conformance
