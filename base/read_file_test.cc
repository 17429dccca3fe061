// SPDX-License-Identifier: Apache-2.0
#include "base/read_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/temporary_directory.h"

namespace inlay {
namespace {

TEST(ReadFile, ARegularFileIsReadAndANamedPipeIsNotWaitedFor) {
  const TemporaryDirectory directory("inlay-read-file-");
  const std::string file = directory.file("file");
  std::ofstream(file) << "content";
  EXPECT_EQ(*read_regular_file(file, 7), "content");
  EXPECT_FALSE(read_regular_file(file, 6));
  const std::string pipe = directory.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const auto read = read_regular_file(pipe, 7);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "cannot read " + pipe + ": it is no regular file");
}

}  // namespace
}  // namespace inlay
