// SPDX-License-Identifier: Apache-2.0
#include "proxy/config_watch.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "base/temporary_directory.h"

namespace inlay::proxy {
namespace {

void write(const std::string& path, std::string_view text) {
  std::ofstream(path) << text;
}

TEST(ConfigWatch, TellsOnceWhenAFileStandsStillAgain) {
  const TemporaryDirectory folder("inlay-config-watch-");
  const std::string file = folder.file("envoy.yaml");
  const std::string module = folder.file("filter.wasm");
  write(file, "one");
  write(module, "one");
  net::EventLoop loop;
  std::vector<std::string> told;
  ConfigWatch watch(loop, [&](const std::string& path) {
    told.push_back(path);
    if (told.size() == 2) return loop.stop();
    EXPECT_EQ(path, file);
    write(module, "longer");
  });
  watch.follow(FileWatch({file, module}));
  // It is written again and again, and away in between.
  int writes = 0;
  net::Timer writer(loop, [&] {
    if (++writes == 3)
      std::remove(file.c_str());
    else
      write(file, std::string(static_cast<size_t>(writes), 'x'));
    if (writes < 5) writer.arm(ConfigWatch::kEvery / 2);
  });
  writer.arm(std::chrono::milliseconds(1));
  loop.run();
  EXPECT_EQ(told, (std::vector<std::string>{file, module}));
  EXPECT_EQ(writes, 5);
}

// What changes between being read and being followed is not missed: a start or a reload may take long.
TEST(ConfigWatch, FollowsWhatItIsToldLast) {
  const TemporaryDirectory folder("inlay-config-watch-");
  const std::string before = folder.file("before");
  const std::string now = folder.file("now");
  for (const std::string& file : {before, now}) write(file, "one");
  net::EventLoop loop;
  std::vector<std::string> told;
  ConfigWatch watch(loop, [&](const std::string& path) {
    told.push_back(path);
    loop.stop();
  });
  watch.follow(FileWatch({before}));
  const FileWatch read({now});
  write(before, "longer");
  write(now, "longer");
  watch.follow(read);
  loop.run();
  EXPECT_EQ(told, (std::vector<std::string>{now}));
}

// A configuration that names a file which is not there is mended by another name: nobody waits for the file.
TEST(ConfigWatch, WaitsForNoFileThatWasNeverThere) {
  const TemporaryDirectory folder("inlay-config-watch-");
  const std::string file = folder.file("envoy.yaml");
  write(file, "one");
  net::EventLoop loop;
  std::string told;
  ConfigWatch watch(loop, [&](const std::string& path) {
    told = path;
    loop.stop();
  });
  watch.follow(FileWatch({file, folder.file("misspelt.wasm")}));
  write(file, "longer");
  loop.run();
  EXPECT_EQ(told, file);
}

// A module goes with the configuration that named it.
TEST(ConfigWatch, WaitsNotForEverForAFileThatIsGone) {
  const TemporaryDirectory folder("inlay-config-watch-");
  const std::string file = folder.file("envoy.yaml");
  const std::string module = folder.file("filter.wasm");
  for (const std::string& one : {file, module}) write(one, "one");
  net::EventLoop loop;
  std::vector<std::string> told;
  ConfigWatch watch(loop, [&](const std::string& path) {
    told.push_back(path);
    if (told.size() == 2) return loop.stop();
    write(file, "longer again");  // and is not waited for once more
  });
  watch.follow(FileWatch({file, module}));
  write(file, "longer");
  std::remove(module.c_str());
  loop.run();
  EXPECT_EQ(told, (std::vector<std::string>{file, file}));
}

}  // namespace
}  // namespace inlay::proxy
