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
  watch.follow({file, module});
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

// What changes between being read and being followed is not missed: a reload may take long.
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
  watch.follow({before, now});
  write(before, "longer");
  write(now, "longer");
  watch.follow({now});
  loop.run();
  EXPECT_EQ(told, (std::vector<std::string>{now}));
}

}  // namespace
}  // namespace inlay::proxy
