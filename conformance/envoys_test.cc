// SPDX-License-Identifier: Apache-2.0
#include "conformance/envoys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/temporary_directory.h"

namespace inlay::conformance {
namespace {

// The variable ENVOY names a program of these lines.
class GivenEnvoy : public testing::Test {
 protected:
  void SetUp() override {
    if (const char* const given = std::getenv("ENVOY")) before_ = given;
  }
  void TearDown() override { before_ ? setenv("ENVOY", before_->c_str(), 1) : unsetenv("ENVOY"); }
  std::string give(const std::string& script) {
    const std::string path = directory_.file("it's envoy");
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    chmod(path.c_str(), 0755);
    setenv("ENVOY", path.c_str(), 1);
    return path;
  }

 private:
  const TemporaryDirectory directory_{"inlay-envoys-"};
  std::optional<std::string> before_;
};

TEST_F(GivenEnvoy, HasAVersionOfItsOwn) {
  const std::string path = give("echo; echo 'envoy  version: 9e5580933739/1.39.3/Clean/RELEASE/BoringSSL'");
  EXPECT_EQ(version_of(path), "1.39.3");
  EXPECT_EQ(tested_envoy(), "1.39.3");
  ASSERT_TRUE(find_envoy("1.39.3"));
  EXPECT_EQ(find_envoy("1.39.3")->binary, path);
  const auto other = find_envoy("1.40.0");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message, "there is no Envoy 1.40.0: ENVOY names Envoy 1.39.3");
}

TEST_F(GivenEnvoy, MayBeADevelopmentVersion) {
  EXPECT_EQ(version_of(give("echo 'envoy  version: 0/1.41.0-dev/Modified/DEBUG/BoringSSL'")), "1.41.0");
}

TEST_F(GivenEnvoy, ThatIsNoneIsNotTaken) {
  EXPECT_EQ(version_of(give("echo 1.40.0; exit 3")), "");
  EXPECT_EQ(tested_envoy(), pinned_envoys().at(0));
  EXPECT_EQ(find_envoy("1.40.0").error().message,
            "there is no Envoy 1.40.0: what ENVOY names says no version of Envoy");
  setenv("ENVOY", "/nowhere", 1);
  EXPECT_EQ(find_envoy("1.40.0").error().message, "there is no Envoy 1.40.0: what ENVOY names is no program");
}

TEST(EnvoyWays, AreTheVersionsAndTheFirstOfThemByHttp2) {
  const std::vector<std::string> ways = envoy_ways();
  ASSERT_EQ(ways.size(), pinned_envoys().size() + 1);
  EXPECT_EQ(ways[0], pinned_envoys()[0]);
  EXPECT_EQ(ways[1], pinned_envoys()[0] + "/http2");
  EXPECT_EQ(protocol_of(ways[0]), Protocol::kHttp1);
  EXPECT_EQ(protocol_of(ways[1]), Protocol::kHttp2);
  EXPECT_EQ(version_of_way(ways[1]), ways[0]);
}

}  // namespace
}  // namespace inlay::conformance
