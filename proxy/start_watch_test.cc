// SPDX-License-Identifier: Apache-2.0
#include "proxy/start_watch.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/connection.h"
#include "net/event_loop.h"
#include "net/socket_address.h"
#include "proxy/start_clients.h"

namespace inlay::proxy {
namespace {

class StartWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = net::listen(loop_, {"127.0.0.1", 0}, [](auto) {});
    ASSERT_TRUE(made);
    listener_ = *std::move(made);
  }

  int connected() const {
    const auto to = net::to_socket_address(listener_->address());
    const int fd = socket(to->family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(fd, to->get(), to->size), 0);
    return fd;
  }

  std::string ask(std::string_view request) const {
    const int fd = connected();
    EXPECT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
    std::string answer;
    char buffer[4096];
    for (ssize_t got; (got = recv(fd, buffer, sizeof buffer, 0)) > 0;) answer.append(buffer, static_cast<size_t>(got));
    close(fd);
    return answer;
  }

  std::unique_ptr<logging::Logger> log_ = *logging::Logger::create({.level = "off", .component_levels = ""});
  net::EventLoop loop_;  // does not run: whoever connects would wait
  std::unique_ptr<net::Listener> listener_;
};

TEST_F(StartWatchTest, AnswersWithWhatTheStartDoes) {
  StartWatch watch(*log_);
  watch.begin(listener_->socket(), [](std::string_view path) { return path == "/ready"; });
  watch.doing("compiling a.wasm");
  const std::string first = ask("GET /ready?x HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_TRUE(first.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << first;
  EXPECT_NE(first.find("\r\n\r\nPRE_INITIALIZING\ncompiling a.wasm ("), std::string::npos) << first;
  watch.initializing();
  watch.doing("starting the plugins of worker 1 of 2");
  const std::string second = ask("GET /ready HTTP/1.1\r\n\r\n");
  EXPECT_NE(second.find("\r\n\r\nINITIALIZING\nstarting the plugins of worker 1 of 2 ("), std::string::npos) << second;
  EXPECT_TRUE(ask("GET /stats HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 403 ")) << "allow_paths";
  EXPECT_EQ(ask("\r\n\r\n"), "") << "no request";
}

TEST_F(StartWatchTest, HeadHasNoBody) {
  StartWatch watch(*log_);
  watch.begin(listener_->socket(), [](std::string_view path) { return path == "/ready"; });
  for (const std::string path : {"/ready", "/stats"}) {
    const std::string answer = ask("HEAD " + path + " HTTP/1.1\r\n\r\n");
    EXPECT_NE(answer.find("\r\ncontent-length: "), std::string::npos) << answer;
    EXPECT_EQ(answer.find("\r\n\r\n") + 4, answer.size()) << answer;
  }
}

TEST_F(StartWatchTest, TheHandOverWaitsForNoClient) {
  StartWatch watch(*log_);
  watch.begin(listener_->socket(), [](std::string_view) { return true; });
  const int silent = connected();
  EXPECT_TRUE(ask("GET /ready HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 503 ")) << "while another says nothing";
  const auto begun = std::chrono::steady_clock::now();
  watch.end();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, StartClients::kPatience);
  char byte = 0;
  EXPECT_EQ(recv(silent, &byte, 1, 0), 0) << "it is closed";
  close(silent);
}

TEST_F(StartWatchTest, LeavesAlikeWithAndWithoutASocket) {
  StartWatch watch(*log_, std::chrono::milliseconds(1));
  watch.begin(-1, {});
  watch.doing("waiting");
  watch.end();
  watch.doing("something later");
  EXPECT_TRUE(watch.text().starts_with("PRE_INITIALIZING\nsomething later (")) << watch.text();
}

}  // namespace
}  // namespace inlay::proxy
