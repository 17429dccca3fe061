// SPDX-License-Identifier: Apache-2.0
// Bodies of direct responses that follow a file.
#include "proxy/file_follower.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "base/read_file.h"
#include "base/temporary_directory.h"

namespace inlay::proxy {
namespace {

class FileFollowerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    logging::Logger::Options options;
    options.path = directory_.file("log");
    auto log = logging::Logger::create(options);
    ASSERT_TRUE(log);
    log_ = *std::move(log);
    mkdir(directory_.file("mount").c_str(), 0700);
    put("one");
    ASSERT_EQ(symlink("..data/token", directory_.file("mount/token").c_str()), 0);
  }
  // As the kubelet does it.
  void put(const std::string& content) {
    const std::string fresh = ".." + std::to_string(++number_);
    mkdir(directory_.file("mount/" + fresh).c_str(), 0700);
    if (content != "none") std::ofstream(directory_.file("mount/" + fresh + "/token")) << content;
    ASSERT_EQ(symlink(fresh.c_str(), directory_.file("mount/..data_tmp").c_str()), 0);
    ASSERT_EQ(std::rename(directory_.file("mount/..data_tmp").c_str(), directory_.file("mount/..data").c_str()), 0);
  }
  bool said(const std::string& what) const {
    const auto log = read_file(directory_.file("log"), 1 << 20);
    return log && log->find(what) != std::string::npos;
  }
  std::shared_ptr<const router::RouteTable> table(size_t limit = 100, const std::string& directory = "mount") {
    config::Route route;
    route.match.value = "/";
    config::DirectResponseAction action;
    action.body = "as the configuration was read";
    action.body_file = config::WatchedFile{directory_.file("mount/token"), directory_.file(directory), limit};
    route.action = action;
    routes_.virtual_hosts.resize(1);
    routes_.virtual_hosts[0].domains = {"*"};
    routes_.virtual_hosts[0].routes = {route, route};
    auto table = router::RouteTable::compile(routes_, [](std::string_view) { return std::optional<size_t>(); });
    EXPECT_TRUE(table);
    return *table;
  }
  static std::string content(const router::RouteTable& table, size_t i = 0) {
    return *table.followed_files().at(i)->content();
  }
  template <class Condition>
  void run_until(Condition condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition() && std::chrono::steady_clock::now() < give_up) loop_.run_once(std::chrono::milliseconds(100));
    ASSERT_TRUE(condition());
  }

  const TemporaryDirectory directory_{"inlay-follow-"};
  int number_ = 0;
  config::RouteConfiguration routes_;
  net::EventLoop loop_;
  std::unique_ptr<logging::Logger> log_;
};

TEST_F(FileFollowerTest, TheContentIsWhatTheFileHas) {
  auto routes = table();
  EXPECT_EQ(content(*routes), "as the configuration was read");
  FileFollower follower(loop_, *log_);
  ASSERT_TRUE(follower.follow(*routes));
  EXPECT_EQ(content(*routes), "one") << "read once more: it could have changed before the watch began";
  const auto held = routes->followed_files().at(0)->content();
  put("two");
  run_until([&] { return content(*routes, 0) == "two" && content(*routes, 1) == "two"; });
  EXPECT_EQ(*held, "one") << "who answers with it keeps it";
  put("");
  run_until([&] { return content(*routes).empty(); });
}

TEST_F(FileFollowerTest, WhatCannotBeHadChangesNothing) {
  auto routes = table(10);
  FileFollower follower(loop_, *log_);
  ASSERT_TRUE(follower.follow(*routes));
  put("none");
  run_until([&] { return said("No such file"); });
  EXPECT_EQ(content(*routes), "one");
  put("secret with more bytes");
  run_until([&] { return said("it is larger than 10 bytes"); });
  EXPECT_EQ(content(*routes), "one");
  EXPECT_FALSE(said("secret"));
  put("10 bytes..");
  run_until([&] { return content(*routes) == "10 bytes.."; });
}

TEST_F(FileFollowerTest, ADirectoryThatIsNotThere) {
  auto routes = table(100, "none");
  FileFollower follower(loop_, *log_);
  const auto followed = follower.follow(*routes);
  ASSERT_FALSE(followed);
  EXPECT_EQ(followed.error().where, "watched_directory");
}

}  // namespace
}  // namespace inlay::proxy
