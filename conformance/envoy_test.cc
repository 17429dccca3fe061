// SPDX-License-Identifier: Apache-2.0
// Every case in the Envoy that `make test` takes, where it is on this machine. `make envoy` runs the other versions.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "conformance/envoy_runs.h"

namespace inlay::conformance {
namespace {

const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    auto read = tester::read_cases(INLAY_SOURCE_DIR "/conformance/cases");
    if (!read) return std::vector<Case>{};  // conformance_test.cc says so
    std::erase_if(*read, [](const Case& c) { return !runs_in_envoy(c); });
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

class EnvoyWorld : public testing::TestWithParam<const Case*> {};

// The runs of the chosen cases, which begin with the program and go on beside its other tests.
class Runs : public testing::Environment {
 public:
  void SetUp() override;
  void TearDown() override { runs_.reset(); }
  static Result<std::string> wait_for(const Case& c) { return runs_->wait_for(c); }

 private:
  static std::unique_ptr<EnvoyRuns> runs_;
};

std::unique_ptr<EnvoyRuns> Runs::runs_;

std::vector<const Case*> parameters() {
  std::vector<const Case*> all;
  if (!envoy()) return all;
  for (const Case& c : cases()) all.push_back(&c);
  return all;
}

std::string parameter_name(const testing::TestParamInfo<const Case*>& info) {
  return info.param->subject + "_" + info.param->name;
}

TEST_P(EnvoyWorld, ShowsWhatTheCaseSaysOrWhatIsRecorded) {
  const Case& c = *GetParam();
  const auto seen = Runs::wait_for(c);
  ASSERT_TRUE(seen) << seen.error().to_string();
  const Verdict verdict = judge(c, envoy()->version, differences(), *seen);
  EXPECT_NE(verdict.kind, Verdict::Kind::kUnexplained) << c.path << " in Envoy " << envoy()->version << "\n"
                                                       << verdict.text;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EnvoyWorld);
INSTANTIATE_TEST_SUITE_P(Cases, EnvoyWorld, testing::ValuesIn(parameters()), parameter_name);

TEST(Envoy, IsHere) {
  if (!envoy()) GTEST_SKIP() << cases().size() << " cases were not run in Envoy: " << envoy().error().to_string();
}

TEST(Differences, OfTheTreeAreWhole) {
  auto all = tester::read_cases(INLAY_SOURCE_DIR "/conformance/cases");
  ASSERT_TRUE(all) << all.error().to_string();
  EXPECT_EQ(differences().mistakes(*all, pinned_envoys()), std::vector<std::string>{});
}

void Runs::SetUp() {
  const testing::UnitTest& unit = *testing::UnitTest::GetInstance();
  std::vector<const Case*> chosen;
  for (int i = 0; i < unit.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *unit.GetTestSuite(i);
    for (int k = 0; k < suite.total_test_count(); ++k) {
      const testing::TestInfo& test = *suite.GetTestInfo(k);
      if (std::string(suite.name()) != "Cases/EnvoyWorld" || !test.is_reportable()) continue;
      for (const Case& c : cases()) {
        if (std::string(test.name()).ends_with("/" + c.subject + "_" + c.name)) chosen.push_back(&c);
      }
    }
  }
  if (!chosen.empty()) runs_ = std::make_unique<EnvoyRuns>(chosen, *envoy(), differences(), true);
}

[[maybe_unused]] testing::Environment* const kRuns = testing::AddGlobalTestEnvironment(new Runs);

}  // namespace
}  // namespace inlay::conformance
