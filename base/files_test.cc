// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "base/temporary_directory.h"

namespace inlay {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Files : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  size_t count() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  const TemporaryDirectory scratch_{"inlay-files-"};
  const fs::path folder_{scratch_.path()};
};

TEST_F(Files, AFileIsMadeAndReplacedAndNothingElseIsLeft) {
  ASSERT_TRUE(replace_file(path("a"), "one"));
  ASSERT_TRUE(replace_file(path("a"), "two", kPrivate));
  EXPECT_EQ(content_of(path("a")), "two");
  EXPECT_EQ(fs::status(path("a")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(count(), 1u);
}

TEST_F(Files, ASymbolicLinkStaysALink) {
  ASSERT_TRUE(replace_file(path("real"), "one"));
  fs::create_symlink("real", path("link"));
  ASSERT_TRUE(replace_file(path("link"), "two"));
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(content_of(path("real")), "two");
}

// A rename would put a file in the place of /dev/stdout or /dev/null for the whole machine.
TEST_F(Files, APipeIsWrittenToAndNotReplaced) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  std::string read;
  std::thread reader([&] { read = content_of(path("pipe")); });
  EXPECT_TRUE(replace_file(path("pipe"), "through"));
  reader.join();
  EXPECT_EQ(read, "through");
  EXPECT_TRUE(fs::is_fifo(path("pipe")));
  const auto refused = replaceable(path("pipe"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "is a device or a pipe; expected a file's name");
}

TEST_F(Files, WhatCannotBeWritten) {
  EXPECT_EQ(replace_file("", "x").error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(replace_file(folder_.string(), "x").error().to_string(),
            folder_.string() + ": is a folder; expected a file's name");
  EXPECT_EQ(replace_file(path("no/such"), "x").error().code, ErrorCode::kIo);
  EXPECT_EQ(replace_file("/dev/full", "x").error().to_string(), "/dev/full: cannot write: No space left on device");
  EXPECT_EQ(count(), 0u);
}

}  // namespace
}  // namespace inlay
