// SPDX-License-Identifier: Apache-2.0
#include "base/find_program.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/temporary_directory.h"

namespace inlay {
namespace {

class FindProgram : public ::testing::Test {
 protected:
  FindProgram() : before_(::getenv("PATH")) {
    std::ofstream(scratch_.file("plain")) << "no program";
    std::ofstream(scratch_.file("program")) << "#!/bin/sh\n";
    std::filesystem::permissions(scratch_.file("program"), std::filesystem::perms::owner_all);
  }
  ~FindProgram() override { ::setenv("PATH", before_.c_str(), 1); }

  const TemporaryDirectory scratch_{"inlay-find-program-"};

 private:
  const std::string before_;
};

TEST_F(FindProgram, LooksIntoTheFoldersOfPath) {
  ::setenv("PATH", ("/nowhere::" + scratch_.path() + ":/bin").c_str(), 1);
  EXPECT_EQ(find_program("program"), scratch_.file("program"));
  EXPECT_EQ(find_program("none"), "");
  if (::geteuid() != 0) {
    EXPECT_EQ(find_program("plain"), "");
  }
}

TEST_F(FindProgram, TakesAPathAsItIs) {
  ::setenv("PATH", "/nowhere", 1);
  EXPECT_EQ(find_program(scratch_.file("program")), scratch_.file("program"));
  EXPECT_EQ(find_program("./none"), "");
}

TEST_F(FindProgram, LeavesRelativeFoldersOut) {
  ::setenv("PATH", ".:bin", 1);
  EXPECT_EQ(find_program("program"), "");
  ::unsetenv("PATH");
  EXPECT_EQ(find_program("program"), "");
}

}  // namespace
}  // namespace inlay
