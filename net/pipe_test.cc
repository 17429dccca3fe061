// SPDX-License-Identifier: Apache-2.0
// Listening on pipes and connecting to them.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/temporary_directory.h"
#include "net/connection.h"
#include "net/listening_socket.h"
#include "net/pipe_path.h"
#include "net/socket_address.h"

namespace inlay::net {
namespace {

using std::chrono::milliseconds;

// Keeps what it hears.
struct Peer : ConnectionHandler {
  void on_connected() override { connected = true; }
  void on_data(Buffer& data, bool end_of_data) override {
    received += data.to_string();
    data.clear();
    end = end || end_of_data;
  }
  void on_closed(CloseReason why, std::string_view text) override {
    closed = true;
    reason = why;
    detail = text;
  }
  bool connected = false;
  bool end = false;
  bool closed = false;
  CloseReason reason = CloseReason::kLocal;
  std::string detail;
  std::string received;
};

class PipeTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_FALSE(directory_.path().empty()); }
  std::string path(const std::string& name) const { return directory_.file(name); }
  template <class Condition>
  void run_until(Condition condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition() && std::chrono::steady_clock::now() < give_up) loop_.run_once(milliseconds(100));
    ASSERT_TRUE(condition());
  }
  // Takes clients of `pipe` into accepted_.
  std::unique_ptr<Listener> listen_on(const Address& pipe) {
    auto made = listen(loop_, pipe, [this](std::unique_ptr<Connection> c) { accepted_.push_back(std::move(c)); });
    EXPECT_TRUE(made) << made.error().message;
    return made ? *std::move(made) : nullptr;
  }
  static std::string error_of(const Address& pipe) {
    const auto socket = ListeningSocket::open(pipe);
    return socket ? "listens" : socket.error().message;
  }
  // A socket's file whose owner has gone.
  void leave_socket(const std::string& at) const {
    ASSERT_TRUE(ListeningSocket::open(Address::pipe(at)));
    ASSERT_TRUE(is_socket(at));
  }
  static mode_t mode_of(const std::string& at) {
    struct stat there {};
    return lstat(at.c_str(), &there) == 0 ? there.st_mode : 0;
  }
  static bool is_socket(const std::string& at) { return S_ISSOCK(mode_of(at)); }

  const TemporaryDirectory directory_{"inlay-pipe-"};
  EventLoop loop_;
  std::vector<std::unique_ptr<Connection>> accepted_;
};

TEST_F(PipeTest, CarriesBytesBothWays) {
  for (const Address& pipe : {Address::pipe(path("a.sock")), Address::pipe("@inlay-pipe-test-" + path("a"))}) {
    accepted_.clear();
    auto listener = listen_on(pipe);
    EXPECT_EQ(listener->address().to_string(), pipe.host);
    Peer client;
    Peer server;
    auto connection = connect(loop_, pipe, milliseconds(60'000), client);
    connection->write("question");
    connection->resume_reading();
    run_until([&] { return !accepted_.empty(); });
    accepted_[0]->set_handler(&server);
    accepted_[0]->resume_reading();
    run_until([&] { return server.received == "question"; });
    EXPECT_TRUE(client.connected);
    connection->shutdown_write();
    run_until([&] { return server.end; });
    accepted_[0]->write("answer after the peer's end");
    accepted_[0]->close(Connection::Close::kAfterFlush);
    run_until([&] { return client.end; });
    EXPECT_EQ(client.received, "answer after the peer's end");
  }
}

TEST_F(PipeTest, BothSidesOfAClientAreCalledLikeThePipe) {
  const Address pipe = Address::pipe(path("a.sock"));
  auto listener = listen_on(pipe);
  Peer client;
  auto connection = connect(loop_, pipe, milliseconds(60'000), client);
  run_until([&] { return !accepted_.empty() && client.connected; });
  EXPECT_EQ(accepted_[0]->local_address().to_string(), pipe.host);
  EXPECT_EQ(accepted_[0]->remote_address().to_string(), pipe.host);
  EXPECT_EQ(connection->remote_address().to_string(), pipe.host);
  EXPECT_EQ(connection->local_address().to_string(), "");
  EXPECT_TRUE(connection->local_address().is_pipe);
}

TEST_F(PipeTest, NobodyListens) {
  Peer none;
  auto connection = connect(loop_, Address::pipe(path("none")), milliseconds(60'000), none);
  run_until([&] { return none.closed; });
  EXPECT_EQ(none.reason, CloseReason::kConnectFailed);
  EXPECT_EQ(none.detail, "immediate connect error: No such file or directory|remote address:" + path("none"));
  leave_socket(path("left"));
  Peer refused;
  auto another = connect(loop_, Address::pipe(path("left")), milliseconds(60'000), refused);
  run_until([&] { return refused.closed; });
  EXPECT_NE(refused.detail.find("Connection refused"), std::string::npos) << refused.detail;
}

TEST_F(PipeTest, APeerThatIsGone) {
  const Address pipe = Address::pipe(path("a.sock"));
  auto listener = listen_on(pipe);
  Peer client;
  auto connection = connect(loop_, pipe, milliseconds(60'000), client);
  connection->resume_reading();
  connection->write("never read");
  run_until([&] { return !accepted_.empty() && client.connected && connection->unsent() == 0; });
  accepted_[0]->close(Connection::Close::kNow);
  run_until([&] { return client.closed || client.end; });
  EXPECT_TRUE(client.closed);
  EXPECT_EQ(client.reason, CloseReason::kRemoteReset) << "what it did not read is lost";
}

TEST_F(PipeTest, ItsPermissions) {
  const mode_t before = umask(022);
  auto by_umask = ListeningSocket::open(Address::pipe(path("default")));
  umask(077);
  auto narrow = ListeningSocket::open(Address::pipe(path("narrow"), 0600));
  auto wide = ListeningSocket::open(Address::pipe(path("wide"), 0666));
  umask(before);
  EXPECT_EQ(mode_of(path("default")) & 0777u, 0755u);
  EXPECT_EQ(mode_of(path("narrow")) & 0777u, 0600u);
  EXPECT_EQ(mode_of(path("wide")) & 0777u, 0666u) << "whatever the umask is";
}

TEST_F(PipeTest, ASocketThatIsLeftGivesWay) {
  leave_socket(path("a.sock"));
  EXPECT_TRUE(check_pipe_is_free(Address::pipe(path("a.sock"))));
  EXPECT_TRUE(is_socket(path("a.sock"))) << "looking changes nothing";
  EXPECT_EQ(error_of(Address::pipe(path("a.sock"))), "listens");
  EXPECT_TRUE(is_socket(path("a.sock"))) << "it stays when nobody listens any more";
}

TEST_F(PipeTest, ASocketThatIsInUseDoesNot) {
  auto first = ListeningSocket::open(Address::pipe(path("a.sock")));
  ASSERT_TRUE(first);
  EXPECT_NE(error_of(Address::pipe(path("a.sock"))).find("another process listens there (ss -xlp shows which)"),
            std::string::npos);
  auto abstract = ListeningSocket::open(Address::pipe("@inlay-in-use-" + path("a")));
  ASSERT_TRUE(abstract);
  EXPECT_NE(error_of((*abstract)->address()).find("another process has this name"), std::string::npos);
  EXPECT_FALSE(check_pipe_is_free((*abstract)->address()));
  Peer client;  // and it still serves
  auto connection = connect(loop_, (*first)->address(), milliseconds(60'000), client);
  run_until([&] { return client.connected; });
}

TEST_F(PipeTest, ADatagramSocketIsNotDeleted) {
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto at = to_socket_address(Address::pipe(path("log")));
  ASSERT_EQ(bind(fd, at->get(), at->size), 0);
  EXPECT_NE(error_of(Address::pipe(path("log"))).find("cannot be told"), std::string::npos);
  close(fd);
  EXPECT_TRUE(is_socket(path("log")));
}

TEST_F(PipeTest, WhatIsNoSocketIsNeverDeleted) {
  std::ofstream(path("file")) << "precious";
  mkdir(path("directory").c_str(), 0700);
  ASSERT_EQ(symlink(path("file").c_str(), path("link").c_str()), 0);
  ASSERT_EQ(symlink("nowhere", path("dangling").c_str()), 0);
  for (const auto& [name, what] : std::vector<std::pair<std::string, std::string>>{
           {"file", "a file"}, {"directory", "a directory"}, {"link", "a symbolic link"}, {"dangling", "a symbolic"}}) {
    const std::string error = error_of(Address::pipe(path(name)));
    EXPECT_NE(error.find(": " + what), std::string::npos) << error;
    EXPECT_NE(mode_of(path(name)), 0u) << name;
  }
  std::string content;
  std::ifstream(path("file")) >> content;
  EXPECT_EQ(content, "precious");
}

TEST_F(PipeTest, WhatIsWrongWithAPath) {
  EXPECT_NE(error_of(Address::pipe(path("none/a.sock"))).find("the directory that its path names must be there"),
            std::string::npos);
  EXPECT_EQ(error_of(Address::pipe("")), "a pipe needs a path");
  EXPECT_EQ(error_of(Address::pipe(std::string("/tmp/a\0b", 8))), "the path of a pipe has a NUL in it");
  const std::string longest = "@" + std::string(kLongestPipePath - 1, 'a');
  EXPECT_EQ(error_of(Address::pipe(longest)), "listens");
  EXPECT_EQ(error_of(Address::pipe(longest + "a")),
            "the path of a pipe may have 107 bytes, '" + longest + "a' has 108");
}

TEST_F(PipeTest, AddressesThereAndBack) {
  for (const std::string& name : {std::string("/run/a.sock"), std::string("relative"), std::string("@"),
                                  std::string("@a\0b", 4), std::string(kLongestPipePath, 'a')}) {
    const auto system = to_socket_address(Address::pipe(name));
    ASSERT_TRUE(system) << name;
    const Address back = from_socket_address(*system);
    EXPECT_EQ(back.host, name);
    EXPECT_TRUE(back.is_pipe);
  }
}

// What workers do: each has a loop and all accept on one socket.
TEST_F(PipeTest, SeveralLoopsAcceptOnOneSocket) {
  const Address pipe = Address::pipe(path("a.sock"));
  SharedPipe shared;
  EventLoop other;
  std::vector<std::unique_ptr<Connection>> others;
  auto here = listen(loop_, shared.get(pipe).value(), [&](auto c) { accepted_.push_back(std::move(c)); });
  auto there = listen(other, shared.get(pipe).value(), [&](auto c) { others.push_back(std::move(c)); });
  ASSERT_TRUE(here && there);
  EXPECT_EQ((*here)->socket(), (*there)->socket());
  Peer first;
  auto one = connect(loop_, pipe, milliseconds(60'000), first);
  Peer second;
  auto two = connect(loop_, pipe, milliseconds(60'000), second);
  run_until([&] { return accepted_.size() == 2; });
  (*here)->stop_accepting();
  EXPECT_EQ((*here)->socket(), -1);
  Peer third;
  auto three = connect(other, pipe, milliseconds(60'000), third);
  for (int i = 0; i < 600 && others.empty(); ++i) other.run_once(milliseconds(100));
  EXPECT_EQ(others.size(), 1u) << "the other one goes on";
  (*there)->stop_accepting();
  Peer fourth;
  auto four = connect(loop_, pipe, milliseconds(60'000), fourth);
  run_until([&] { return fourth.closed; });
  EXPECT_NE(fourth.detail.find("Connection refused"), std::string::npos) << fourth.detail;
  others.clear();
  EXPECT_TRUE(shared.get(pipe)) << "after all have left, a new one";
}

}  // namespace
}  // namespace inlay::net
