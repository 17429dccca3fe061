// SPDX-License-Identifier: Apache-2.0
#include "tester/textpb/suite_file.h"

#include <gtest/gtest.h>

namespace inlay::tester::textpb {
namespace {

std::string mistake(std::string_view text) {
  const auto suite = read_suite(text, "x.textpb");
  return suite ? "" : suite.error().where + ": " + suite.error().message;
}

TEST(SuiteFile, ReadsAllThatATestHas) {
  const auto suite = read_suite(R"(
env { wasm_path: "a.wasm" config_path: "a.yaml" log_level: ERROR time_secs: 12 }
test {
  name: "one" benchmark: true chunk_size: 3
  properties { path: "a.b" value: "c" }
  request_headers {
    input { header { key: "k" value: "v" } }
    result {
      has_header { key: "x" value: "y" } no_header { key: "z" }
      headers { regex: "a.*" } body { exact: "b" invert: true } log { file: "f" }
      immediate { http_status: 403 grpc_status: 7 details: "d" }
    }
  }
  request_body { input { content: "abc" } } response_headers {} response_body { input { file: "b" } }
  plugin_init { log { exact: "l" } } stream_init {} stream_destroy {}
})",
                                "x.textpb");
  ASSERT_TRUE(suite) << suite.error().to_string();
  EXPECT_EQ(suite->wasm_path, "a.wasm");
  EXPECT_EQ(suite->config_path, "a.yaml");
  EXPECT_EQ(suite->log_level, abi::LogLevel::kError);
  EXPECT_EQ(suite->time_secs, 12u);
  ASSERT_EQ(suite->passed_over.size(), 1u);
  const PhaseTest& test = suite->tests.at(0);
  EXPECT_EQ(test.chunk_size, 3);
  EXPECT_EQ(test.properties, (Fields{{"a.b", "c"}}));
  EXPECT_EQ(test.request_headers->input.headers, (Fields{{"k", "v"}}));
  const Expectation& result = test.request_headers->result;
  EXPECT_EQ(result.has_header.at(0).value, "y");
  EXPECT_EQ(result.has_header.at(0).line, 9u);
  EXPECT_EQ(result.no_header.at(0).name, "z");
  EXPECT_EQ(result.headers.at(0).kind, StringMatcher::Kind::kRegex);
  EXPECT_TRUE(result.body.at(0).invert);
  EXPECT_EQ(result.log.at(0).kind, StringMatcher::Kind::kFile);
  EXPECT_EQ(result.immediate->http_status, 403u);
  EXPECT_EQ(result.immediate->grpc_status, 7u);
  EXPECT_EQ(result.immediate->details, "d");
  EXPECT_TRUE(test.response_headers);
  EXPECT_EQ(test.plugin_init.log.at(0).text, "l");
}

struct Wrong {
  std::string_view text;
  std::string_view said;
};
constexpr Wrong kWrong[] = {
    {"", "x.textpb:1: it has no test"},
    {"test {}", "x.textpb:1: a test has a name"},
    {"tests { name: 'a' }", "`tests` is no field here; did you mean `test`?"},
    {"runtime { wasm_path: 'a' }", "`runtime` is no field here; there are: env, test"},
    {"env {}\nenv {}\ntest { name: 'a' }", "x.textpb:2: `env` may stand here once, and is on line 1 already"},
    {"test { name: a }", "`name` is a string in quotation marks, not `a`"},
    {"test { name: 1 }", "`name` is a string in quotation marks, not `1`"},
    {"test { name: {} }", "`name` is a string in quotation marks"},
    {"test: 'a'", "`test` is a message in braces, not `a`"},
    {"test { name: 'a' benchmark: yes }", "`benchmark` is true or false, not `yes`"},
    {"test { name: 'a' benchmark: 'true' }", "`benchmark` is true or false, not `true`"},
    {"test { name: 'a' num_chunks: 0 }", "`num_chunks` is a number of at least 1, not `0`"},
    {"test { name: 'a' num_chunks: -3 }", "`num_chunks` is a number of at least 1, not `-3`"},
    {"test { name: 'a' chunk_size: 1.5 }", "`chunk_size` is a number of at least 1, not `1.5`"},
    {"test { name: 'a' chunk_size: 08 }", "`chunk_size` is a number of at least 1, not `08`"},
    {"test { name: 'a' chunk_size: 1\n num_chunks: 1 }", "x.textpb:2: `num_chunks` and `chunk_size` are both set"},
    {"test { name: 'a' num_chunks: 2 request_body {}\n request_body {} }", "x.textpb:2: a test that cuts bodies"},
    {"env { log_level: LOUD } test { name: 'a' }", "`log_level` is TRACE, DEBUG, INFO, WARN, ERROR or CRITICAL"},
    {"env { log_level: 7 } test { name: 'a' }", "not `7`"},
    {"env { time_secs: -1 } test { name: 'a' }", "`time_secs` is a number of seconds from 0 to 9000000000, not `-1`"},
    {"test { name: 'a' request_header {} }", "did you mean `request_headers`?"},
    {"test { name: 'a' request_headers { result { log {} } } }", "`log` has one of `exact`, `regex` and `file`"},
    {"test { name: 'a' plugin_init { log { exact: 'a' regex: 'b' } } }", "`regex` and `exact` are both set"},
    {"test { name: 'a' plugin_init { log {\n regex: '(' } } }",
     "x.textpb:2: the regular expression is none: missing )"},
    {"test { name: 'a' request_headers { input { header {} } } }", "`header` has a name: `key: \"...\"`"},
    {"test { name: 'a' request_headers { result { has_header { value: 'x' } } } }", "`has_header` has a name"},
    {"test { name: 'a' request_headers { input { content: 'a' file: 'b' } } }",
     "one of `header`, `content` and `file`"},
    {"test { name: 'a' stream_init { immediate { http_status: 99999999999 } } }", "`http_status` is a number"},
    {"test { name: 'a' ", "this message does not end: a `}` is missing"},
};

TEST(SuiteFile, EachMistakeSaysWhereWhatAndWhatWouldBeRight) {
  for (const Wrong& wrong : kWrong) {
    const std::string said = mistake(wrong.text);
    EXPECT_TRUE(said.starts_with("x.textpb:")) << wrong.text << "\n" << said;
    EXPECT_NE(said.find(wrong.said), std::string::npos) << wrong.text << "\n" << said;
  }
}

TEST(SuiteFile, TestsOfOneNameAreNumbered) {
  const auto suite = read_suite("test { name: 'a' }\ntest { name: 'a' }", "x.textpb");
  ASSERT_TRUE(suite);
  EXPECT_EQ(suite->tests.at(0).name, "a");
  EXPECT_EQ(suite->tests.at(1).name, "a #2");
}

TEST(SuiteFile, AllMistakesAreSaidAtOnce) {
  EXPECT_EQ(mistake("tst {}\nenv { tim: 1 }"),
            "x.textpb:1: `tst` is no field here; did you mean `test`?\n"
            "x.textpb:2: `tim` is no field here; there are: test_path, wasm_path, config_path, log_level, log_path, "
            "time_secs, num_additional_streams, additional_stream_advance_rate");
}

TEST(SuiteFile, IsKnownByItsEnding) {
  for (const char* name : {"a.textpb", "b/a.txtpb", "a.textproto", "a.pbtxt", "a.yaml", "a.yml", "a.json"})
    EXPECT_TRUE(is_suite_file(name));
  for (const char* name : {"a.case", "textpb", "a.textpb.case"}) EXPECT_FALSE(is_suite_file(name));
}

}  // namespace
}  // namespace inlay::tester::textpb
