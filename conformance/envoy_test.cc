// SPDX-License-Identifier: Apache-2.0
// Every case in the Envoy that `make test` takes, where it is on this machine. `make envoy` runs the other versions.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <utility>

#include "conformance/envoy_runs.h"

namespace inlay::conformance {
namespace {

const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    auto read = tester::read_cases(INLAY_SOURCE_DIR "/conformance/cases");
    if (!read) return std::vector<Case>{};  // conformance_test.cc says so
    return *std::move(read);
  }();
  return all;
}

const Result<Envoy>& envoy() {
  static const Result<Envoy> found = find_envoy(tested_envoy());
  return found;
}

const Differences& differences() {
  static const Differences all = [] {
    auto read = read_differences();
    EXPECT_TRUE(read) << read.error().to_string();
    return read ? *std::move(read) : Differences{};
  }();
  return all;
}

// A case and the way in which it runs.
using Parameter = std::pair<const Case*, std::string>;

// Of the tested version: by HTTP/1, and by HTTP/2 where the cases run so there.
std::vector<Parameter> parameters() {
  std::vector<Parameter> all;
  if (!envoy()) return all;
  for (const std::string& way : envoy_ways()) {
    if (version_of_way(way) != envoy()->version) continue;
    for (const Case& c : cases()) {
      if (runs_in_envoy(c, way)) all.emplace_back(&c, way);
    }
  }
  return all;
}

std::string name_of(const Parameter& parameter) {
  const auto& [c, way] = parameter;
  return c->subject + "_" + c->name + (protocol_of(way) == Protocol::kHttp2 ? "_HTTP2" : "");
}

class EnvoyWorld : public testing::TestWithParam<Parameter> {};

// The runs of the chosen cases, which begin with the program and go on beside its other tests.
class Runs : public testing::Environment {
 public:
  void SetUp() override;
  void TearDown() override { runs_.clear(); }
  static Result<std::string> wait_for(const Parameter& p) { return runs_.at(p.second)->wait_for(*p.first); }

 private:
  static std::map<std::string, std::unique_ptr<EnvoyRuns>> runs_;  // by way
};

std::map<std::string, std::unique_ptr<EnvoyRuns>> Runs::runs_;

TEST_P(EnvoyWorld, ShowsWhatTheCaseSaysOrWhatIsRecorded) {
  const auto& [c, way] = GetParam();
  const auto seen = Runs::wait_for(GetParam());
  ASSERT_TRUE(seen) << seen.error().to_string();
  const Verdict verdict = judge(*c, way, differences(), *seen);
  EXPECT_NE(verdict.kind, Verdict::Kind::kUnexplained) << c->path << " in Envoy " << way << "\n" << verdict.text;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EnvoyWorld);
INSTANTIATE_TEST_SUITE_P(Cases, EnvoyWorld, testing::ValuesIn(parameters()),
                         [](const auto& tested) { return name_of(tested.param); });

TEST(Envoy, IsHere) {
  if (!envoy()) GTEST_SKIP() << cases().size() << " cases were not run in Envoy: " << envoy().error().to_string();
}

TEST(Differences, OfTheTreeAreWhole) {
  auto all = tester::read_cases(INLAY_SOURCE_DIR "/conformance/cases");
  ASSERT_TRUE(all) << all.error().to_string();
  EXPECT_EQ(differences().mistakes(*all, envoy_ways()), std::vector<std::string>{});
}

void Runs::SetUp() {
  const testing::UnitTest& unit = *testing::UnitTest::GetInstance();
  std::map<std::string, Parameter> all;
  for (const Parameter& parameter : parameters()) all["/" + name_of(parameter)] = parameter;
  std::map<std::string, std::vector<const Case*>> chosen;
  for (int i = 0; i < unit.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *unit.GetTestSuite(i);
    for (int k = 0; k < suite.total_test_count(); ++k) {
      const testing::TestInfo& test = *suite.GetTestInfo(k);
      if (std::string(suite.name()) != "Cases/EnvoyWorld" || !test.is_reportable()) continue;
      const std::string name = test.name();
      const Parameter& parameter = all.at(name.substr(name.find('/')));
      chosen[parameter.second].push_back(parameter.first);
    }
  }
  for (const auto& [way, of_it] : chosen) {
    runs_[way] = std::make_unique<EnvoyRuns>(of_it, *envoy(), way, differences(), true);
  }
}

[[maybe_unused]] testing::Environment* const kRuns = testing::AddGlobalTestEnvironment(new Runs);

}  // namespace
}  // namespace inlay::conformance
