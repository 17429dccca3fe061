// SPDX-License-Identifier: Apache-2.0
#pragma once

// ServerTest: a server in this process with one listener, on threads of its own, a client and an upstream.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "net/event_loop.h"
#include "proxy/server.h"
#include "upstream/test_server.h"

namespace inlay::proxy::testing {

using namespace std::chrono_literals;
using upstream::testing::TestServer;

// A blocking client; every call gives up after a minute.
class Client {
 public:
  explicit Client(const Address& address, int receive_buffer = 0) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const timeval limit{60, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(address.port);
    inet_pton(AF_INET, address.host.c_str(), &to.sin_addr);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
  }
  ~Client() { close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  bool connected() const { return connected_; }
  void send(std::string_view text) {
    EXPECT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL), ssize_t(text.size()));
  }
  // Reads until `end` has come, or the connection's end.
  std::string read_to(std::string_view end) {
    char chunk[4096];
    while (text_.find(end) == std::string::npos) {
      const ssize_t n = recv(fd_, chunk, sizeof chunk, 0);
      if (n <= 0) break;
      text_.append(chunk, static_cast<size_t>(n));
    }
    return std::exchange(text_, {});
  }
  // All up to the end of the connection.
  std::string read_all() { return read_to(std::string_view("\xff\xff never", 8)); }
  std::string ask(std::string_view head, std::string_view body = "") {
    send(std::string(head) + "connection: close\r\n\r\n" + std::string(body));
    return read_all();
  }

 private:
  int fd_;
  bool connected_;
  std::string text_;
};

// An upstream on a thread of its own.
class Backend {
 public:
  explicit Backend(std::function<void(TestServer::Peer&)> on_bytes) : server_(loop_) {
    server_.on_bytes = std::move(on_bytes);
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Backend() {
    loop_.stop();
    thread_.join();
  }
  const Address& address() const { return server_.address(); }
  void post(std::function<void()> task) { loop_.post(std::move(task)); }

 private:
  net::EventLoop loop_;
  TestServer server_;
  std::thread thread_;
};

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() : log_(logging::Logger::create({"off", "", ""}).value()) {
    config::Listener listener;
    listener.name = "in";
    listener.address = {"127.0.0.1", 0};
    listener.http.stat_prefix = "in";
    listener.http.http_filters.push_back({"router", false, config::RouterFilter{}});
    config::VirtualHost host;
    host.name = "v";
    host.domains = {"*"};
    listener.http.route_config.virtual_hosts.push_back(host);
    bootstrap_.listeners.push_back(listener);
    bootstrap_.admin = config::Admin{{"127.0.0.1", 0}, {}};
  }
  ~ServerTest() override { end(); }

  config::Route& add_route(std::string path) {
    auto& routes = bootstrap_.listeners[0].http.route_config.virtual_hosts[0].routes;
    routes.emplace_back();
    routes.back().match.kind = config::RouteMatch::Kind::kPath;
    routes.back().match.value = std::move(path);
    return routes.back();
  }
  config::Cluster& add_cluster(const std::string& name, std::optional<Address> address) {
    bootstrap_.clusters.emplace_back();
    config::Cluster& cluster = bootstrap_.clusters.back();
    cluster.name = name;
    if (address) {
      cluster.endpoints.resize(1);
      cluster.endpoints[0].address = *address;
    }
    config::RouteAction action;
    action.cluster = name;
    add_route("/" + name).action = action;
    return cluster;
  }
  config::RouteAction& action(size_t route) {
    return std::get<config::RouteAction>(
        bootstrap_.listeners[0].http.route_config.virtual_hosts[0].routes[route].action);
  }
  void start(size_t concurrency = 1) {
    ServerOptions options;
    options.concurrency = concurrency;
    options.reload = reload_;
    options.watched_files = watched_files_;
    auto server = Server::create(bootstrap_, options, *log_);
    ASSERT_TRUE(server) << server.error().to_string();
    server_ = *std::move(server);
    thread_ = std::thread([this] { status_ = server_->run(); });
  }
  void end() {
    if (!thread_.joinable()) return;
    server_->shutdown();
    thread_.join();
    EXPECT_EQ(status_, 0);
  }
  Address address() { return server_->listener_addresses()[0]; }
  std::string get(std::string_view path, std::string_view more = "") {
    Client client(address());
    return client.ask("GET " + std::string(path) + " HTTP/1.1\r\nhost: h\r\n" + std::string(more));
  }
  std::string admin(std::string_view target, std::string_view method = "GET") {
    Client client(server_->admin_address());
    return client.ask(std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nhost: h\r\n");
  }
  static bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

  std::unique_ptr<logging::Logger> log_;
  config::Bootstrap bootstrap_;
  // Reloads, and waits for what comes of it: "success" or "rejected".
  void reload(const std::string& outcome) {
    const std::string name = "server.reload_" + outcome + ": ";
    const auto count = [&] {
      const std::string stats = admin("/stats?filter=server.reload");
      const size_t at = stats.find(name);
      return at == std::string::npos ? 0 : std::stoi(stats.substr(at + name.size()));
    };
    const int before = count();
    server_->reload();
    while (count() == before) {
    }
  }

  ServerOptions::Reload reload_;
  std::function<FileWatch()> watched_files_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
  int status_ = -1;
};

}  // namespace inlay::proxy::testing
