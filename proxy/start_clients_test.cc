// SPDX-License-Identifier: Apache-2.0
#include "proxy/start_clients.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <list>
#include <optional>

#include "net/connection.h"
#include "net/event_loop.h"
#include "net/socket_address.h"

namespace inlay::proxy {
namespace {

constexpr std::string_view kRequest = "GET /ready HTTP/1.1\r\nhost: a\r\n\r\n";

// Asks is a client whose socket blocks: its answer has come when it is at its end.
class Asks {
 public:
  explicit Asks(const Address& address) {
    const auto to = net::to_socket_address(address);
    EXPECT_EQ(connect(fd_, to->get(), to->size), 0);
  }
  Asks(const Asks&) = delete;
  Asks& operator=(const Asks&) = delete;
  ~Asks() { close(fd_); }

  void send(std::string_view text) const {
    EXPECT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  void end() const { EXPECT_EQ(shutdown(fd_, SHUT_WR), 0); }
  // All that comes until the other side ends; "reset" if it ends so.
  std::string answer() const {
    std::string all;
    char buffer[4096];
    ssize_t got = 0;
    while ((got = recv(fd_, buffer, sizeof buffer, 0)) > 0) all.append(buffer, static_cast<size_t>(got));
    return got == 0 ? all : "reset";
  }
  // Whether nothing has come, not even the end. For where what had to come before has come.
  bool waits() const {
    char byte = 0;
    return recv(fd_, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
  }

 private:
  int fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

class StartClientsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = net::listen(loop_, {"127.0.0.1", 0}, [](auto) {});
    ASSERT_TRUE(made);
    listener_ = *std::move(made);
    clients_.emplace(listener_->socket(), [](std::string_view method, std::string_view path) {
      return "<" + std::string(method) + " " + std::string(path) + ">";
    });
  }

  // Waits for something that is watched, and serves it; the clock stands still.
  void serve_next() {
    std::vector<pollfd> polled;
    clients_->watch(polled, now_);
    ASSERT_GT(poll(polled.data(), polled.size(), -1), 0);
    clients_->serve(now_);
  }
  bool watches_listener() const {
    std::vector<pollfd> polled;
    clients_->watch(polled, now_);
    return !polled.empty() && polled.front().fd == listener_->socket();
  }
  size_t watched() const {
    std::vector<pollfd> polled;
    clients_->watch(polled, now_);
    return polled.size() - (watches_listener() ? 1 : 0);
  }

  net::EventLoop loop_;  // does not run
  std::unique_ptr<net::Listener> listener_;
  std::optional<StartClients> clients_;
  StartClients::Clock::time_point now_{std::chrono::hours(1)};
};

TEST_F(StartClientsTest, ASlowClientHoldsUpNoOther) {
  const Asks slow(listener_->address());
  slow.send("GET /re");
  while (watched() == 0) serve_next();
  const Asks quick(listener_->address());
  quick.send(kRequest);
  quick.end();
  while (quick.waits()) serve_next();
  EXPECT_EQ(quick.answer(), "<GET /ready>");
  EXPECT_TRUE(slow.waits());
  slow.send("ady HTTP/1.1\r\n\r\n");
  while (slow.waits()) serve_next();
  clients_.reset();
  EXPECT_EQ(slow.answer(), "<GET /ready>");
}

TEST_F(StartClientsTest, AClientHasOneDeadlineHoweverOftenItSends) {
  const Asks slow(listener_->address());
  while (watched() == 0) serve_next();
  const auto deadline = now_ + StartClients::kPatience;
  EXPECT_EQ(clients_->due(), deadline);
  now_ = deadline - std::chrono::milliseconds(1);
  slow.send("GET");
  serve_next();
  EXPECT_EQ(watched(), 1u);
  EXPECT_EQ(clients_->due(), deadline) << "it is no later for what has come";
  now_ = deadline;
  clients_->serve(now_);
  EXPECT_EQ(watched(), 0u);
  EXPECT_EQ(slow.answer(), "");
  EXPECT_EQ(clients_->due(), StartClients::Clock::time_point::max());
}

TEST_F(StartClientsTest, AnAnsweredClientThatDoesNotEndIsClosedAtItsDeadline) {
  const Asks stays(listener_->address());
  stays.send(kRequest);
  while (stays.waits()) serve_next();
  EXPECT_EQ(watched(), 1u);
  now_ += StartClients::kPatience;
  clients_->serve(now_);
  EXPECT_EQ(watched(), 0u);
  EXPECT_EQ(stays.answer(), "<GET /ready>");
}

TEST_F(StartClientsTest, TheEndWaitsForNobodyAndAnswersWhoHasAsked) {
  const Asks silent(listener_->address());
  const Asks asked(listener_->address());
  while (watched() < 2) serve_next();
  asked.send(kRequest);
  clients_.reset();
  EXPECT_EQ(silent.answer(), "");
  EXPECT_EQ(asked.answer(), "<GET /ready>");
}

TEST_F(StartClientsTest, WhatComesBehindTheHeadCostsNobodyTheAnswer) {
  const Asks client(listener_->address());
  client.send("POST /quitquitquit HTTP/1.1\r\ncontent-length: 20000\r\n\r\n" + std::string(20000, 'x'));
  client.end();
  while (client.waits()) serve_next();  // accepted, answered and closed, be it at once
  while (watched() != 0) serve_next();
  EXPECT_EQ(client.answer(), "<POST /quitquitquit>");
}

TEST_F(StartClientsTest, AnEndlessHeadIsAnsweredByItsFirstLineAndWhatIsNoRequestIsNot) {
  const Asks endless(listener_->address());
  endless.send("GET /a?b HTTP/1.1\r\nx: " + std::string(20000, 'x'));
  while (endless.waits()) serve_next();
  const Asks none(listener_->address());
  none.send("\r\n\r\n");
  while (none.waits()) serve_next();
  EXPECT_EQ(none.answer(), "");
  clients_.reset();
  EXPECT_EQ(endless.answer(), "<GET /a>");
}

TEST_F(StartClientsTest, OneClientMoreSendsTheOldestAway) {
  const Asks oldest(listener_->address());
  while (watched() == 0) serve_next();
  std::list<Asks> others;
  for (size_t i = 0; i < StartClients::kMost; ++i) others.emplace_back(listener_->address());
  while (oldest.waits()) serve_next();
  EXPECT_EQ(oldest.answer(), "");
  EXPECT_EQ(watched(), StartClients::kMost);
}

// The one that cannot be accepted goes on waiting, so that poll() would return at once, for ever.
TEST_F(StartClientsTest, WithoutDescriptorsItPauses) {
  const Asks client(listener_->address());
  client.send(kRequest);
  pollfd waiting{listener_->socket(), POLLIN, 0};
  ASSERT_EQ(poll(&waiting, 1, -1), 1);
  // UBSan looks at a test's own members with a pipe, for which there is no descriptor meanwhile.
  StartClients& clients = *clients_;
  const auto now = now_;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  clients.serve(now);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_FALSE(watches_listener());
  EXPECT_EQ(clients_->due(), now_ + StartClients::kPause);
  now_ += StartClients::kPause;
  EXPECT_TRUE(watches_listener());
  while (client.waits()) serve_next();
  clients_.reset();
  EXPECT_EQ(client.answer(), "<GET /ready>");
}

}  // namespace
}  // namespace inlay::proxy
