// SPDX-License-Identifier: Apache-2.0
#include "base/temporary_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

namespace inlay {
namespace {

namespace fs = std::filesystem;

TEST(TemporaryDirectoryTest, IsPrivateAndGoesWithWhatIsInIt) {
  std::string path;
  {
    const TemporaryDirectory directory("inlay-base-");
    path = directory.path();
    struct stat status = {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700u);
    EXPECT_TRUE(fs::path(path).filename().string().starts_with("inlay-base-"));
    fs::create_directories(directory.file("a/b"));
    std::ofstream(directory.file("a/b/c")) << "content";
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST(TemporaryDirectoryTest, IsInTheFolderThatIsNamed) {
  const TemporaryDirectory outer("inlay-base-");
  const TemporaryDirectory inner("inner-", outer.path());
  EXPECT_EQ(fs::path(inner.path()).parent_path(), outer.path());
}

TEST(TemporaryDirectoryTest, HasNoPathWhereNoneCanBeMade) {
  const TemporaryDirectory directory("inlay-base-", "/nonexistent");
  EXPECT_EQ(errno, ENOENT);
  EXPECT_EQ(directory.path(), "");
}

}  // namespace
}  // namespace inlay
