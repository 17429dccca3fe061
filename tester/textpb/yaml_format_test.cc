// SPDX-License-Identifier: Apache-2.0
#include "tester/textpb/yaml_format.h"

#include <gtest/gtest.h>

#include <utility>

#include "tester/textpb/suite_file.h"

namespace inlay::tester::textpb {
namespace {

constexpr std::string_view kSuite = R"(
env: {log_level: DEBUG, time_secs: '12'}
test:
- name: 12
  benchmark: 'yes'
  num_chunks: 0x2
  request_headers:
    input:
      header:
      - {key: a, value: "b"}
    result:
      has_header: [{key: n, value: 5}]
      log: [{regex: '.*x.*', invert: true}]
      immediate: {http_status: 403}
  request_body:
  - input: {content: "12"}
)";

TEST(YamlFormat, AScalarIsWhatItsFieldWants) {
  const auto suite = read_suite(kSuite, "a.yaml");
  ASSERT_TRUE(suite) << suite.error().to_string();
  EXPECT_EQ(suite->log_level, abi::LogLevel::kDebug);
  EXPECT_EQ(suite->time_secs, 12u);
  const PhaseTest& test = suite->tests.at(0);
  EXPECT_EQ(test.name, "12");
  EXPECT_EQ(test.line, 4u);
  EXPECT_TRUE(test.benchmark);
  EXPECT_EQ(test.num_chunks, 2);
  EXPECT_EQ(test.request_headers->result.has_header.at(0).value, "5");
  EXPECT_EQ(test.request_headers->result.has_header.at(0).line, 12u);
  EXPECT_TRUE(test.request_headers->result.log.at(0).invert);
  EXPECT_EQ(test.request_headers->result.immediate->http_status, 403u);
  EXPECT_EQ(test.request_body.at(0).input.content, "12");
}

TEST(YamlFormat, JsonIsAPartOfIt) {
  for (const char* name : {"a.json", "a.yaml", "a.yml"}) {
    const auto suite = read_suite(R"({"test": [{"name": "a", "plugin_init": {"log": [{"exact": "x"}]}}]})", name);
    ASSERT_TRUE(suite) << suite.error().to_string();
    EXPECT_EQ(suite->tests.at(0).plugin_init.log.at(0).text, "x");
  }
}

TEST(YamlFormat, MistakesHaveTheirLines) {
  const std::pair<const char*, const char*> kWrong[] = {
      {"test: {name: a}", "a.yaml:1: `test` is a list: each of its items begins with `- `"},
      {"test:\n- a", "a.yaml:2: `test` is a map: `test: {name: ...}`"},
      {"test:\n- nme: a", "a.yaml:2: `nme` is no field here; did you mean `name`?"},
      {"test:\n- name: [a]", "a.yaml:2: `name` is one value, no list or map, and not empty"},
      {"test:\n- name:", "a.yaml:2: `name` is one value, no list or map, and not empty"},
      {"test:\n- name: a\n  benchmark: 7", "a.yaml:3: `benchmark` is true or false, not `7`"},
      {"test:\n- name: a\n  num_chunks: x", "a.yaml:3: `num_chunks` is a number of at least 1, not `x`"},
      {"env: {log_level: LOUD}", "a.yaml:1: `log_level` is TRACE, DEBUG, INFO, WARN, ERROR or CRITICAL, not `LOUD`"},
      {"- a", "a.yaml:1: a test suite is a map: `test:` and below it a list of tests"},
      {"{}", "a.yaml:1: it has no test; `test { name: \"...\" }` is one"},
      {"test: [", "a.yaml:"},
      {"", "a.yaml:"},
  };
  for (const auto& [text, error] : kWrong) {
    const auto suite = read_suite(text, "a.yaml");
    ASSERT_FALSE(suite) << text;
    EXPECT_TRUE(suite.error().to_string().starts_with(error)) << suite.error().to_string();
  }
}

}  // namespace
}  // namespace inlay::tester::textpb
