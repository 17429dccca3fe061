// SPDX-License-Identifier: Apache-2.0
#include "tester/envoys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "base/temporary_directory.h"

namespace inlay::tester {
namespace {

struct EnvoysTest : testing::Test {
  // A program that says that it is of that version.
  std::string program(const std::string& name, const std::string& version) {
    const std::string path = folder.file(name);
    std::ofstream(path) << "#!/bin/sh\necho 'envoy  version: 0abc/" << version << "/Clean/RELEASE/BoringSSL'\n";
    chmod(path.c_str(), 0755);
    return path;
  }
  ~EnvoysTest() override { unsetenv("ENVOY"); }
  const TemporaryDirectory folder{"inlay-tester-"};
};

TEST_F(EnvoysTest, APathIsAskedForItsVersion) {
  const std::string path = program("envoy", "1.39.3");
  const auto found = find_envoy(path);
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_EQ(found->version, "1.39.3");
  EXPECT_EQ(found->binary, path);
  EXPECT_EQ(find_envoy(folder.file("nowhere")).error().message, "there is no program");
  EXPECT_EQ(find_envoy(program("other", "none")).error().message, "it says no version of Envoy (--version)");
}

TEST_F(EnvoysTest, AVersionIsLookedFor) {
  setenv("ENVOY", program("envoy", "1.2.3").c_str(), 1);
  for (const char* const wanted : {"envoy@1.2.3", "1.2.3"}) {
    const auto found = find_envoy(wanted);
    ASSERT_TRUE(found) << found.error().to_string();
    EXPECT_EQ(found->binary, folder.file("envoy"));
  }
  EXPECT_EQ(find_envoy("envoy@1.2.4").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(find_envoy("nginx").error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace inlay::tester
