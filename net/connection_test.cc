// SPDX-License-Identifier: Apache-2.0
// Connections over real loopback sockets, on ports that the system chooses.
#include "net/connection.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <string>

#include "net/socket_address.h"

namespace inlay::net {
namespace {

using std::chrono::milliseconds;

// Records what it hears.
struct Recorder : ConnectionHandler {
  void on_connected() override { connected = true; }
  void on_data(Buffer& data, bool end_of_data) override {
    received += data.to_string();
    data.clear();
    end = end || end_of_data;
    if (on_bytes) on_bytes();
  }
  void on_above_write_watermark() override { ++above; }
  void on_below_write_watermark() override { ++below; }
  void on_closed(CloseReason why, std::string_view text) override {
    closed = true;
    reason = why;
    detail = text;
  }
  bool connected = false;
  bool end = false;
  bool closed = false;
  int above = 0;
  int below = 0;
  CloseReason reason = CloseReason::kLocal;
  std::string detail;
  std::string received;
  std::function<void()> on_bytes;
};

// Takes so many bytes of what it is given, then pauses; notes the most that it was given.
struct Sipper : ConnectionHandler {
  void on_data(Buffer& data, bool) override {
    most = std::max(most, data.size());
    const size_t n = std::min(sip, data.size());
    taken += n;
    data.drain(n);
    connection->pause_reading();
  }
  void on_peer_closing() override { ++closing; }
  void on_closed(CloseReason, std::string_view) override {}
  Connection* connection = nullptr;
  size_t sip = 10;
  size_t taken = 0;
  size_t most = 0;
  int closing = 0;
};

class ConnectionTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto result = listen(loop_, {GetParam(), 0}, [this](std::unique_ptr<Connection> connection) {
      server_ = std::move(connection);
      server_->set_handler(&server_handler_);
      if (server_reads_) server_->resume_reading();
    });
    // A machine may have no IPv6; without IPv4 nothing here would be tested, so that is a failure.
    if (!result && std::string_view(GetParam()).find(':') != std::string_view::npos)
      GTEST_SKIP() << result.error().message;
    ASSERT_TRUE(result) << result.error().message;
    listener_ = std::move(*result);
    client_ = connect(loop_, listener_->address(), milliseconds(60'000), client_handler_);
    client_->resume_reading();
  }
  template <class Condition>
  void run_until(Condition condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition() && std::chrono::steady_clock::now() < give_up) loop_.run_once(milliseconds(100));
    ASSERT_TRUE(condition());
  }

  EventLoop loop_;
  bool server_reads_ = true;
  Recorder server_handler_;
  Recorder client_handler_;
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Connection> server_;
  std::unique_ptr<Connection> client_;
};

TEST_P(ConnectionTest, CarriesBytesBothWaysAndSaysEnd) {
  client_->write("question");  // before it is connected
  run_until([&] { return server_handler_.received == "question"; });
  EXPECT_TRUE(client_handler_.connected);
  EXPECT_EQ(server_->remote_address().to_string(), client_->local_address().to_string());
  EXPECT_EQ(client_->remote_address().port, listener_->address().port);
  client_->shutdown_write();
  run_until([&] { return server_handler_.end; });
  server_->write("answer after the peer's end");
  server_->close(Connection::Close::kAfterFlush);
  server_.reset();
  run_until([&] { return client_handler_.end; });
  EXPECT_EQ(client_handler_.received, "answer after the peer's end");
  EXPECT_FALSE(client_handler_.closed);
}

TEST_P(ConnectionTest, BackPressureReachesTheWriter) {
  server_reads_ = false;
  run_until([&] { return server_ != nullptr && client_handler_.connected; });
  client_->set_write_watermark(1 << 20);
  const std::string block(1 << 20, 'x');
  size_t sent = 0;
  while (client_handler_.above == 0) {
    client_->write(block);
    sent += block.size();
    loop_.run_once(milliseconds(0));
    ASSERT_LT(sent, size_t{1} << 30) << "the system took everything";
  }
  EXPECT_GT(client_->unsent(), size_t{1} << 20);
  EXPECT_EQ(client_handler_.below, 0);
  server_->resume_reading();
  run_until([&] { return server_handler_.received.size() == sent; });
  EXPECT_EQ(client_handler_.above, client_handler_.below);
}

TEST_P(ConnectionTest, PausedBytesComeWithTheNextResume) {
  server_reads_ = false;
  client_->write("early");
  run_until([&] { return server_ != nullptr && client_handler_.connected; });
  for (int i = 0; i < 5; ++i) loop_.run_once(milliseconds(1));
  EXPECT_EQ(server_handler_.received, "");
  server_->resume_reading();
  run_until([&] { return server_handler_.received == "early"; });
}

TEST_P(ConnectionTest, NothingIsReceivedBehindWhatIsLeft) {
  server_reads_ = false;
  run_until([&] { return server_ != nullptr && client_handler_.connected; });
  client_->write(std::string(1 << 20, 'x'));
  Sipper sipper;
  sipper.connection = server_.get();
  server_->set_handler(&sipper);
  for (size_t i = 1; i <= 200; ++i) {
    server_->resume_reading();
    run_until([&] { return sipper.taken >= 10 * i; });
  }
  EXPECT_LE(sipper.most, Buffer::kBlockSize);
}

TEST_P(ConnectionTest, AnEndBehindBytesThatAreNotReadIsAnnounced) {
  server_reads_ = false;
  run_until([&] { return server_ != nullptr && client_handler_.connected; });
  Sipper sipper;
  sipper.connection = server_.get();
  server_->set_handler(&sipper);
  client_->write("more than a sip");
  server_->resume_reading();
  run_until([&] { return sipper.taken == 10; });
  EXPECT_EQ(sipper.closing, 0);
  client_->shutdown_write();
  run_until([&] { return sipper.closing > 0; });
  EXPECT_EQ(sipper.taken, 10u);
}

TEST_P(ConnectionTest, ALowerWatermarkCountsWhatIsUnsent) {
  server_reads_ = false;
  run_until([&] { return server_ != nullptr && client_handler_.connected; });
  client_->write(std::string(16 << 20, 'x'));
  ASSERT_GT(client_->unsent(), size_t{1} << 20);
  EXPECT_EQ(client_handler_.above, 0);
  client_->set_write_watermark(1 << 20);
  EXPECT_EQ(client_handler_.above, 1);
  client_->set_write_watermark(SIZE_MAX);
  EXPECT_EQ(client_handler_.below, 1);
}

TEST_P(ConnectionTest, AResetIsNoticedWhileReadingIsPaused) {
  server_reads_ = false;
  run_until([&] { return server_ != nullptr && client_handler_.connected; });
  server_->write("unread");  // closing with unread bytes makes the client's system send RST
  client_->pause_reading();
  for (int i = 0; i < 5; ++i) loop_.run_once(milliseconds(1));
  client_->close(Connection::Close::kNow);
  run_until([&] { return server_handler_.closed; });
  EXPECT_EQ(server_handler_.reason, CloseReason::kRemoteReset);
}

TEST_P(ConnectionTest, CanBeResetWithoutUnreadBytes) {
  client_->write("x");
  run_until([&] { return server_handler_.received == "x"; });
  client_->close(Connection::Close::kReset);
  run_until([&] { return server_handler_.closed || server_handler_.end; });
  EXPECT_FALSE(server_handler_.end);
  EXPECT_EQ(server_handler_.reason, CloseReason::kRemoteReset);
}

TEST_P(ConnectionTest, AHandlerMayDestroyItsConnectionInsideOfOnData) {
  server_handler_.on_bytes = [&] { server_.reset(); };
  client_->write("x");
  run_until([&] { return client_handler_.end || client_handler_.closed; });
  EXPECT_EQ(server_handler_.received, "x");
}

TEST_P(ConnectionTest, AFewPagesArriveWholeAfterCloseAndDestroy) {
  const std::string page(300'000, 'p');
  run_until([&] { return server_ != nullptr; });
  server_->write(page);
  server_->close(Connection::Close::kAfterFlush);
  server_.reset();
  run_until([&] { return client_handler_.end; });
  EXPECT_EQ(client_handler_.received.size(), page.size());
}

TEST_P(ConnectionTest, AClosedPortIsRefused) {
  const Address address = listener_->address();
  client_.reset();
  listener_->stop_accepting();
  Recorder handler;
  auto refused = connect(loop_, address, milliseconds(60'000), handler);
  EXPECT_FALSE(handler.closed) << "never from inside of connect()";
  run_until([&] { return handler.closed; });
  EXPECT_EQ(handler.reason, CloseReason::kConnectFailed);
  EXPECT_EQ(handler.detail, "delayed connect error: Connection refused");
}

TEST_P(ConnectionTest, WhatCannotBeConnectedToFailsOnTheNextTurn) {
  Recorder handler;
  auto refused = connect(loop_, {"224.0.0.1", 80}, milliseconds(60'000), handler);
  EXPECT_FALSE(handler.closed) << "never from inside of connect()";
  run_until([&] { return handler.closed; });
  EXPECT_EQ(handler.reason, CloseReason::kConnectFailed);
  EXPECT_EQ(handler.detail, "immediate connect error: Network is unreachable|remote address:224.0.0.1:80");
}

INSTANTIATE_TEST_SUITE_P(Families, ConnectionTest, ::testing::Values("127.0.0.1", "::1"),
                         [](const auto& param) { return param.param[0] == ':' ? "IPv6" : "IPv4"; });

TEST(Connect, GivesUpAfterItsTimeout) {
  EventLoop loop;
  // A listener that never accepts, with a backlog of one that is full: the next SYN is not answered.
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = to_socket_address({"127.0.0.1", 0});
  ASSERT_EQ(bind(fd, address->get(), address->size), 0);
  ASSERT_EQ(::listen(fd, 0), 0);
  const auto target = local_address_of(fd);
  std::vector<std::unique_ptr<Connection>> connections;
  std::vector<std::unique_ptr<Recorder>> handlers;
  for (int i = 0; i < 8; ++i) {
    handlers.push_back(std::make_unique<Recorder>());
    connections.push_back(connect(loop, target, milliseconds(50), *handlers.back()));
  }
  const auto timed_out = [&] {
    for (auto& handler : handlers) {
      if (handler->closed && handler->reason == CloseReason::kConnectTimeout) return true;
    }
    return false;
  };
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!timed_out() && std::chrono::steady_clock::now() < give_up) loop.run_once(milliseconds(20));
  EXPECT_TRUE(timed_out());
  close(fd);
}

TEST(Connect, ANameIsNoAddress) {
  EventLoop loop;
  Recorder handler;
  auto connection = connect(loop, {"localhost", 80}, milliseconds(100), handler);
  loop.run_once(milliseconds(0));
  EXPECT_TRUE(handler.closed);
  EXPECT_EQ(handler.reason, CloseReason::kConnectFailed);
}

TEST(Listen, SaysWhatIsWrongWithTheAddress) {
  EventLoop loop;
  auto bad = listen(loop, {"not-an-address", 80}, [](auto) {});
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "'not-an-address' is not an IPv4 or IPv6 address");
  auto foreign = listen(loop, {"192.0.2.1", 80}, [](auto) {});
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, ErrorCode::kIo);
}

TEST(Listen, NobodyElseGetsAPartOfTheConnections) {
  EventLoop loop;
  const auto at = [&](const Address& address, Sharing sharing) {
    return listen(
        loop, address, [](auto) {}, {}, sharing);
  };
  auto alone = at({"127.0.0.1", 0}, Sharing::kAlone);
  ASSERT_TRUE(alone);
  for (Sharing sharing : {Sharing::kAlone, Sharing::kShared}) {
    auto second = at((*alone)->address(), sharing);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().message.find("ss -ltnp"), std::string::npos) << second.error().message;
  }
  auto first = at({"127.0.0.1", 0}, Sharing::kShared);
  ASSERT_TRUE(first);
  EXPECT_TRUE(at((*first)->address(), Sharing::kShared));
  EXPECT_FALSE(at((*first)->address(), Sharing::kAlone));
}

// Everybody who waits hears of it: two configurations may end on one loop.
TEST(AfterFlushes, TellsAll) {
  EventLoop loop;
  std::vector<int> told;
  for (int i = 0; i < 2; ++i) {
    after_flushes(loop, [&, i] {
      told.push_back(i);
      if (told.size() == 2) loop.stop();
    });
  }
  loop.run();
  EXPECT_EQ(told, (std::vector<int>{0, 1}));
}

TEST(Listen, GoesOnAfterTheSystemRefusedADescriptor) {
  EventLoop loop;
  std::vector<std::unique_ptr<Connection>> accepted;
  std::string message;
  auto listener = listen(
      loop, {"127.0.0.1", 0}, [&](auto connection) { accepted.push_back(std::move(connection)); },
      [&](std::string_view text) { message = text; });
  ASSERT_TRUE(listener);
  // One goes well first. UBSan needs descriptors of its own to look at a class for the first time.
  Recorder first_handler;
  auto first = connect(loop, (*listener)->address(), milliseconds(60'000), first_handler);
  for (int i = 0; i < 100 && accepted.empty(); ++i) loop.run_once(milliseconds(50));
  ASSERT_EQ(accepted.size(), 1u);
  Recorder handler;
  auto client = connect(loop, (*listener)->address(), milliseconds(60'000), handler);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = 0;
  setrlimit(RLIMIT_NOFILE, &none);
  for (int i = 0; i < 100 && message.empty(); ++i) loop.run_once(milliseconds(50));
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_NE(message.find("Too many open files"), std::string::npos) << message;
  for (int i = 0; i < 100 && accepted.size() == 1; ++i) loop.run_once(milliseconds(50));
  EXPECT_EQ(accepted.size(), 2u);
}

}  // namespace
}  // namespace inlay::net
