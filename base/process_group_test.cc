// SPDX-License-Identifier: Apache-2.0
#include "base/process_group.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/temporary_directory.h"

namespace inlay {
namespace {

// Two programs, and a child of each, that write their numbers down and then wait for ever.
std::vector<std::string> forever(const std::string& directory, int number) {
  const std::string file = directory + "/pids" + std::to_string(number);
  return {
      "/bin/sh", "-c",
      "sleep 1000 & echo $! > " + file + ".new; echo $$ >> " + file + ".new; mv " + file + ".new " + file + "; wait"};
}

std::vector<std::string> pids(const std::string& directory) {
  std::vector<std::string> found;
  for (int number = 0; number < 2; ++number) {
    const std::string file = directory + "/pids" + std::to_string(number);
    while (!std::filesystem::exists(file)) std::this_thread::yield();
    std::ifstream in(file);
    for (std::string pid; in >> pid;) found.push_back(pid);
  }
  return found;
}

bool runs(const std::string& pid) {
  std::string state;
  std::getline(std::ifstream("/proc/" + pid + "/stat"), state);
  return !state.empty() && state.find(") Z") == std::string::npos;
}

// `closed`: it has no descriptors 0, 1 and 2, which its pipe must not get.
void ends_with_its_owner(bool closed) {
  const TemporaryDirectory directory("inlay-group-");
  const pid_t owner = fork();
  if (owner == 0) {
    for (int fd = 0; closed && fd < 3; ++fd) close(fd);
    ProcessGroup group;
    for (int number = 0; number < 2; ++number) {
      if (!group.start(forever(directory.path(), number), {}, directory.path() + "/log")) _exit(1);
    }
    pause();
    _exit(0);
  }
  ASSERT_GT(owner, 0);
  const auto started = pids(directory.path());
  ASSERT_EQ(started.size(), 4u);
  for (const std::string& pid : started) EXPECT_TRUE(runs(pid));
  ASSERT_EQ(kill(owner, SIGKILL), 0);
  ASSERT_EQ(waitpid(owner, nullptr, 0), owner);
  for (const std::string& pid : started) {
    while (runs(pid)) std::this_thread::yield();  // else the test hangs
  }
}

TEST(ProcessGroupTest, EndsWithTheProcessThatStartedIt) {
  ends_with_its_owner(false);
  ends_with_its_owner(true);
}

TEST(ProcessGroupTest, WhatAProgramLeavesBehindGoesOn) {
  const TemporaryDirectory directory("inlay-group-");
  const std::string path = directory.path() + "/";
  {
    ProcessGroup group;
    const std::string left = "while [ ! -e " + path + "go ]; do sleep 0.01; done; echo > " + path + "alive";
    ASSERT_TRUE(group.start({"/bin/sh", "-c", "(" + left + ") &"}, {}, path + "log"));
    EXPECT_EQ(group.wait(), std::vector<bool>{true});
  }
  std::ofstream(path + "go") << "go";
  while (!std::filesystem::exists(path + "alive")) std::this_thread::yield();  // else the test hangs
}

TEST(ProcessGroupTest, KillEndsAll) {
  const TemporaryDirectory directory("inlay-group-");
  ProcessGroup group;
  for (int number = 0; number < 2; ++number) {
    ASSERT_TRUE(group.start(forever(directory.path(), number), {}, directory.path() + "/log"));
  }
  const auto started = pids(directory.path());
  group.kill();
  EXPECT_EQ(group.wait(), std::vector<bool>(2, false));
  for (const std::string& pid : started) EXPECT_FALSE(runs(pid));
  EXPECT_FALSE(group.start(forever(directory.path(), 2), {}, directory.path() + "/log"));
}

TEST(ProcessGroupTest, SaysWhoSucceeded) {
  const TemporaryDirectory directory("inlay-group-");
  for (int time = 0; time < 2; ++time) {
    ProcessGroup group;
    ASSERT_TRUE(group.start({"/bin/sh", "-c", "exit 0"}, {}, directory.path() + "/log"));
    ASSERT_TRUE(group.start({"/bin/sh", "-c", "exit 3"}, {}, directory.path() + "/log"));
    EXPECT_EQ(group.wait(), (std::vector<bool>{true, false}));
  }
}

}  // namespace
}  // namespace inlay
