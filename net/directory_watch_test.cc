// SPDX-License-Identifier: Apache-2.0
#include "net/directory_watch.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "base/temporary_directory.h"

namespace inlay::net {
namespace {

class DirectoryWatchTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return directory_.file(name); }
  void write(const std::string& name) const { std::ofstream(path(name)) << name; }
  void move(const std::string& from, const std::string& to) const {
    ASSERT_EQ(std::rename(path(from).c_str(), path(to).c_str()), 0);
  }
  template <class Condition>
  void run_until(Condition condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition() && std::chrono::steady_clock::now() < give_up) loop_.run_once(std::chrono::milliseconds(100));
    ASSERT_TRUE(condition());
  }

  const TemporaryDirectory directory_{"inlay-watch-"};
  EventLoop loop_;
  std::string gone_;
  DirectoryWatch watch_{loop_, [this](const std::string& directory) { gone_ = directory; }};
  int told_ = 0;
};

TEST_F(DirectoryWatchTest, TellsOfALinkThatIsRenamedOverAnother) {
  mkdir(path("..1").c_str(), 0700);
  ASSERT_EQ(symlink("..1", path("..data").c_str()), 0);
  ASSERT_TRUE(watch_.add(directory_.path(), [this] { ++told_; }));
  mkdir(path("..2").c_str(), 0700);
  ASSERT_EQ(symlink("..2", path("..data_tmp").c_str()), 0);
  move("..data_tmp", "..data");
  run_until([this] { return told_ > 0; });
  EXPECT_EQ(told_, 1) << "and of nothing that came before";
}

TEST_F(DirectoryWatchTest, OnceForManyAndNotOfWhatIsWrittenInPlace) {
  write("a");
  ASSERT_TRUE(watch_.add(directory_.path(), [this] { ++told_; }));
  int others = 0;
  ASSERT_TRUE(watch_.add(directory_.path() + "/", [&] { ++others; })) << "the same one by another name";
  write("a");
  write("new");
  for (int i = 0; i < 100; ++i) {
    write("b");
    move("b", "a");
  }
  ASSERT_EQ(unlink(path("new").c_str()), 0);
  run_until([this] { return told_ > 0; });
  EXPECT_EQ(told_, 1);
  EXPECT_EQ(others, 1);
  write("a");
  write("b");
  move("b", "a");
  run_until([this] { return told_ > 1; });
  EXPECT_EQ(told_, 2);
}

TEST_F(DirectoryWatchTest, ADirectoryThatIsGone) {
  mkdir(path("mount").c_str(), 0700);
  ASSERT_TRUE(watch_.add(path("mount"), [this] { ++told_; }));
  ASSERT_EQ(rmdir(path("mount").c_str()), 0);
  run_until([this] { return !gone_.empty(); });
  EXPECT_EQ(gone_, path("mount"));
  EXPECT_EQ(told_, 0);
}

TEST_F(DirectoryWatchTest, ADirectoryThatIsNotThere) {
  const auto added = watch_.add(path("none"), [] {});
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().message, "cannot watch " + path("none") + ": No such file or directory");
}

}  // namespace
}  // namespace inlay::net
