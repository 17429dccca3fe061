// SPDX-License-Identifier: Apache-2.0
#include "sdk/testing/fake_host.h"

#include <gtest/gtest.h>

#include <string>

#include "base/testing/guide.h"
#include "examples/redis_guard/plugin.cc"  // NOLINT: the registration is in it

using inlay::sdk::testing::FakeConnection;
using inlay::sdk::testing::FakeHost;
using inlay::sdk::testing::FakeWorker;

namespace {

const std::string kFlush = "*1\r\n$8\r\nflushall\r\n";
const std::string kRefused = "*1\r\n$7\r\nREFUSED\r\n";
const std::string kSet = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$8\r\nflushall\r\n";

class RedisGuard : public ::testing::Test {
 protected:
  FakeHost host_;
  FakeWorker& worker_ = host_.add_worker();
  inlay::sdk::ContextId root_ = worker_.start("any", "FLUSHALL CONFIG");
  FakeConnection& connection_ = worker_.connect(root_);
};

TEST_F(RedisGuard, RefusesWhatItIsToldToAndNothingElse) {
  EXPECT_EQ(worker_.client_sends(connection_, kSet + kFlush + kSet), Action::kContinue);
  EXPECT_EQ(connection_.to_server, kSet + kRefused + kSet);
  EXPECT_EQ(host_.metric("redis_guard_refused"), 1);
  EXPECT_TRUE(host_.logged("refused flushall"));
}

// Every cut of the same bytes comes to the same.
TEST_F(RedisGuard, ReadsCommandsHoweverTheyAreCut) {
  const std::string all = kSet + kFlush + "PING\r\nCONFIG GET *\r\n" + kFlush;
  for (size_t first = 1; first < all.size(); ++first) {
    FakeConnection& connection = worker_.connect(root_);
    (void)worker_.client_sends(connection, all.substr(0, first));
    (void)worker_.client_sends(connection, all.substr(first));
    EXPECT_EQ(connection.to_server, kSet + kRefused + "PING\r\nREFUSED GET *\r\n" + kRefused) << "cut at " << first;
    worker_.disconnect(connection);
  }
  FakeConnection& connection = worker_.connect(root_);
  for (const char c : all) (void)worker_.client_sends(connection, std::string(1, c));
  EXPECT_EQ(connection.to_server, kSet + kRefused + "PING\r\nREFUSED GET *\r\n" + kRefused);
}

// A long value is not held up until it is whole.
TEST_F(RedisGuard, ALongValuePassesAsItComes) {
  const std::string begin = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100000\r\n" + std::string(50'000, 'v');
  EXPECT_EQ(worker_.client_sends(connection_, begin), Action::kContinue);
  EXPECT_EQ(connection_.to_server, begin);
  EXPECT_EQ(worker_.client_sends(connection_, std::string(50'000, 'v') + "\r\n" + kFlush), Action::kContinue);
  EXPECT_TRUE(connection_.to_server.ends_with("v\r\n" + kRefused));
}

TEST_F(RedisGuard, ACutNameWaits) {
  EXPECT_EQ(worker_.client_sends(connection_, "*1\r\n$8\r\nFLUSH"), Action::kPause);
  EXPECT_EQ(connection_.to_server, "");
  EXPECT_EQ(worker_.client_sends(connection_, "ALL\r\n"), Action::kContinue);
  EXPECT_EQ(connection_.to_server, kRefused);
}

TEST_F(RedisGuard, CountsACommandOnceThoughItsBytesComeAgain) {
  EXPECT_EQ(worker_.client_sends(connection_, kFlush + "*1\r\n$4\r\nPI"), Action::kPause);
  EXPECT_EQ(host_.metric("redis_guard_refused"), 0);
  EXPECT_EQ(worker_.client_sends(connection_, "NG\r\n"), Action::kContinue);
  EXPECT_EQ(connection_.to_server, kRefused + "*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(host_.metric("redis_guard_refused"), 1);
}

TEST_F(RedisGuard, ClosesWhatIsNotRedis) {
  EXPECT_EQ(worker_.client_sends(connection_, "*two\r\n"), Action::kPause);
  EXPECT_TRUE(connection_.closed);
  FakeConnection& other = worker_.connect(root_);
  (void)worker_.client_sends(other, std::string(2000, 'x'));
  EXPECT_TRUE(other.closed);
}

TEST_F(RedisGuard, CountsBytes) {
  (void)worker_.client_sends(connection_, kSet);
  (void)worker_.server_sends(connection_, "+OK\r\n");
  EXPECT_EQ(connection_.to_client, "+OK\r\n");
  worker_.disconnect(connection_);
  EXPECT_TRUE(host_.logged("a connection ends: 34 bytes up, 5 bytes down"));
}

TEST_F(RedisGuard, NeedsAConfiguration) {
  EXPECT_EQ(worker_.start("any", ""), 0u);
}

// docs/guide/tcp.md shows these files: each of its lines of C++ stands in one of them.
TEST(RedisGuardGuide, ShowsThisCode) {
  inlay::testing::expect_guide_shows(
      INLAY_SOURCE_DIR, "docs/guide/tcp.md",
      {"examples/redis_guard/plugin.cc", "examples/redis_guard/plugin_test.cc", "examples/gate/plugin.cc"}, 50);
}

}  // namespace
