// SPDX-License-Identifier: Apache-2.0
// Every case on both engines, in process and on sockets; and the page that lists them.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "conformance/page.h"
#include "conformance/runner.h"

namespace inlay::conformance {
namespace {

const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    auto read = tester::read_cases(INLAY_SOURCE_DIR "/conformance/cases");
    EXPECT_TRUE(read) << read.error().to_string();
    return read ? *std::move(read) : std::vector<Case>{};
  }();
  return all;
}

// Each is run once, by whichever test asks first.
const Outcome& outcome(const Case& c, const Variant& variant) {
  static std::map<std::string, Outcome> known;
  const auto [it, is_new] = known.try_emplace(c.path + variant.name());
  if (is_new) it->second = run(c, variant);
  return it->second;
}

using Parameter = std::pair<const Case*, const Variant*>;

std::vector<Parameter> parameters() {
  std::vector<Parameter> all;
  for (const Case& c : cases()) {
    for (const Variant& variant : variants()) {
      if (takes(c, variant)) all.emplace_back(&c, &variant);
    }
  }
  return all;
}

std::string parameter_name(const testing::TestParamInfo<Parameter>& info) {
  const auto& [c, variant] = info.param;
  std::string name = c->subject + "_" + c->name + "_" + variant->name();
  std::erase_if(name, [](char letter) { return letter == ',' || letter == ' ' || letter == '/'; });
  return name;
}

class Conformance : public testing::TestWithParam<Parameter> {};

TEST_P(Conformance, ShowsWhatTheCaseSays) {
  const Outcome& result = outcome(*GetParam().first, *GetParam().second);
  EXPECT_TRUE(result.passed) << GetParam().first->path << "\n" << result.text;
}

INSTANTIATE_TEST_SUITE_P(Cases, Conformance, testing::ValuesIn(parameters()), parameter_name);

// Instantiated last, so that what it needs has been run.
class ConformancePage : public testing::TestWithParam<const char*> {};

TEST_P(ConformancePage, IsUpToDate) {
  const auto differences = read_differences();
  ASSERT_TRUE(differences) << differences.error().to_string();
  const auto passed = [](const Case& c, const Variant& variant) { return outcome(c, variant).passed; };
  const std::string page = render_page(cases(), passed, *differences, envoy_ways());
  std::stringstream file;
  file << std::ifstream(GetParam()).rdbuf();
  EXPECT_EQ(file.str(), page) << "make conformance rewrites it";
}

INSTANTIATE_TEST_SUITE_P(Docs, ConformancePage, testing::Values(INLAY_SOURCE_DIR "/docs/reference/conformance.md"),
                         [](const auto&) { return "reference"; });

}  // namespace
}  // namespace inlay::conformance
