// SPDX-License-Identifier: Apache-2.0
#include "base/file_watch.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <thread>

#include "base/temporary_directory.h"

namespace inlay {
namespace {

TEST(FileWatch, SeesWhatIsWrittenRemovedAndMade) {
  const TemporaryDirectory folder("inlay-watch-");
  const std::string file = folder.file("a");
  std::ofstream(file) << "one";
  FileWatch watch({file, folder.file("b")});
  EXPECT_EQ(watch.changed(), "");
  std::ofstream(file) << "longer";
  EXPECT_EQ(watch.changed(), file);
  EXPECT_EQ(watch.wait(), file);
  watch = FileWatch({file, folder.file("b")});
  std::ofstream(folder.file("b")) << "two";
  EXPECT_EQ(watch.changed(), folder.file("b"));
  watch = FileWatch({file});
  std::remove(file.c_str());
  EXPECT_EQ(watch.changed(), file);
  // A folder changes with what is in it.
  watch = FileWatch({folder.path()});
  std::ofstream(folder.file("c")) << "three";
  EXPECT_EQ(watch.changed(), folder.path());
  // The file is what a person wants to know of.
  watch = FileWatch({folder.path(), folder.file("d")});
  std::ofstream(folder.file("d")) << "four";
  EXPECT_EQ(watch.changed(), folder.file("d"));
}

TEST(FileWatch, RemembersWhatAFileWasBeforeItWasRead) {
  const TemporaryDirectory folder("inlay-watch-");
  const std::string file = folder.file("a");
  std::ofstream(file) << "one";
  FileWatch watch;
  EXPECT_TRUE(watch.empty());
  watch.add(file);
  std::ofstream(file) << "longer";
  watch.add(file);  // read a second time
  EXPECT_EQ(watch.changed(), file);
  watch.look_again();
  EXPECT_EQ(watch.changed(), "");
}

TEST(FileWatch, MissesOnlyWhatWasThere) {
  const TemporaryDirectory folder("inlay-watch-");
  const std::string file = folder.file("a");
  std::ofstream(file) << "one";
  const FileWatch before({file, folder.file("never")});
  EXPECT_TRUE(before.all_there(before));
  std::remove(file.c_str());
  const FileWatch after({file, folder.file("never")});
  EXPECT_FALSE(after.all_there(before));
  EXPECT_TRUE(after.all_there(after));
}

TEST(FileWatch, WaitsForAChange) {
  const TemporaryDirectory folder("inlay-watch-");
  const std::string file = folder.file("a");
  std::ofstream(file) << "one";
  const FileWatch watch({file});
  std::string changed;
  std::thread waits([&] { changed = watch.wait(); });
  std::ofstream(file) << "longer";
  waits.join();
  EXPECT_EQ(changed, file);
}

}  // namespace
}  // namespace inlay
