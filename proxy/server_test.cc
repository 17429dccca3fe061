// SPDX-License-Identifier: Apache-2.0
#include "proxy/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <future>
#include <thread>

#include "compiler/wat.h"
#include "proxy/server_fixture.h"

namespace inlay::proxy {
namespace {

using namespace std::chrono_literals;
using testing::Backend;
using testing::Client;
using testing::ServerTest;
using upstream::testing::TestServer;

TEST_F(ServerTest, DirectResponsesAndRedirects) {
  config::DirectResponseAction direct;
  direct.status = 418;
  direct.body = "short and stout\n";
  auto& route = add_route("/tea");
  route.action = direct;
  route.response_headers.add.push_back({"x-route", "%REQ(:path)%"});
  config::RedirectAction redirect;
  redirect.path_redirect = "/new";
  redirect.response_code = 308;
  add_route("/old").action = redirect;
  start();
  const std::string tea = get("/tea");
  EXPECT_TRUE(tea.starts_with("HTTP/1.1 418 ")) << tea;
  EXPECT_TRUE(has(tea, "\r\ncontent-length: 16\r\n") && has(tea, "\r\ncontent-type: text/plain\r\n")) << tea;
  EXPECT_TRUE(has(tea, "\r\nx-route: /tea\r\n") && has(tea, "\r\nserver: envoy\r\n")) << tea;
  EXPECT_TRUE(tea.ends_with("\r\n\r\nshort and stout\n")) << tea;
  const std::string old = get("/old?q=1");
  EXPECT_TRUE(old.starts_with("HTTP/1.1 308 ")) << old;
  EXPECT_TRUE(has(old, "\r\nlocation: http://h/new?q=1\r\n")) << old;
}

// A guest that gives the headers of a direction (a map's number) a line break and holds only them.
std::string holds_a_broken_header(const std::string& direction, const std::string& map) {
  return R"((module
    (import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (data (i32.const 0) "x-bad1\0a2")
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 65536))
    (func (export "proxy_on_)" +
         direction + R"(_headers") (param i32 i32 i32) (result i32)
      (drop (call $add (i32.const )" +
         map + R"() (i32.const 0) (i32.const 5) (i32.const 5) (i32.const 3)))
      (i32.const 1))))";
}

TEST_F(ServerTest, HeadersThatABodyCarriesOnPastAGuestAreLookedAt) {
  Backend backend([](TestServer::Peer& peer) {
    if (!peer.received.ends_with("x")) return;
    peer.received.clear();
    peer.send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
  });
  add_cluster("app", backend.address());
  auto& filters = bootstrap_.listeners[0].http.http_filters;
  filters.insert(filters.begin(), config::HttpFilter{"w", false, config::WasmPlugin{}});
  const struct {
    const char* direction;
    const char* map;
  } table[] = {{"request", "0"}, {"response", "2"}};
  for (const auto& row : table) {
    auto module = compiler::wat_to_wasm(holds_a_broken_header(row.direction, row.map));
    ASSERT_TRUE(module) << module.error().to_string();
    config::WasmPlugin wasm;
    wasm.plugin.name = row.direction;
    wasm.plugin.allow_on_headers_stop_iteration = true;
    wasm.code.filename = "guest.wasm";
    wasm.code.bytes = std::make_shared<const std::vector<uint8_t>>(*std::move(module));
    filters[0].config = wasm;
    start();
    const std::string answer = Client(address()).ask("POST /app HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\n", "x");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << row.direction << ": " << answer;
    EXPECT_TRUE(answer.ends_with("invalid header value for: x-bad")) << row.direction << ": " << answer;
    end();
  }
}

TEST_F(ServerTest, ProxiesAndCounts) {
  Backend backend([](TestServer::Peer& peer) {
    if (!peer.received.ends_with("\r\n\r\n")) return;
    peer.send("HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(peer.received.size()) + "\r\n\r\n" +
              peer.received);
    peer.received.clear();
  });
  add_cluster("app", backend.address());
  start(2);
  const std::string answer = get("/app", "x-envoy-upstream-rq-timeout-ms: 5000\r\n");  // a stranger has no say
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(has(answer, "x-envoy-upstream-service-time: ")) << answer;
  EXPECT_TRUE(has(answer, "\r\n\r\nGET /app HTTP/1.1\r\nhost: h\r\n")) << answer;
  EXPECT_TRUE(has(answer, "x-envoy-expected-rq-timeout-ms: 15000\r\n")) << answer;
  EXPECT_FALSE(has(answer, "x-envoy-upstream-rq-timeout-ms")) << answer;
  EXPECT_TRUE(has(answer, "x-request-id: ") && has(answer, "x-forwarded-proto: http\r\n")) << answer;

  Client keep_alive(address());
  for (int i = 0; i < 3; ++i) {
    keep_alive.send("GET /app HTTP/1.1\r\nhost: h\r\n\r\n");
    EXPECT_TRUE(has(keep_alive.read_to("x-forwarded-proto: http\r\n"), "200 OK"));
  }
  const std::string stats = admin("/stats?filter=cluster.app");
  EXPECT_TRUE(has(stats, "cluster.app.upstream_rq_total: 4\n")) << stats;
  EXPECT_TRUE(has(stats, "cluster.app.upstream_rq_2xx: 4\n")) << stats;
}

// The table of section 4 of the Envoy notes: status, body and flags of what the router answers itself.
TEST_F(ServerTest, LocalReplies) {
  Backend silent([](TestServer::Peer&) {});
  Backend closing([](TestServer::Peer& peer) { peer.close(); });
  Backend garbage([](TestServer::Peer& peer) { peer.send("what?\r\n\r\n"); });
  add_cluster("refused", Address{"127.0.0.1", 1});
  add_cluster("empty", std::nullopt);
  add_cluster("silent", silent.address());
  action(2).timeout = 50ms;
  add_cluster("closing", closing.address());
  add_cluster("garbage", garbage.address());
  add_cluster("full", silent.address()).max_requests = 0;
  config::RouteAction missing;
  missing.cluster_header = "x-cluster";
  missing.cluster_not_found_response_code = 404;
  add_route("/header").action = missing;
  start();
  const std::string reset = "upstream connect error or disconnect/reset before headers. reset reason: ";
  const std::pair<const char*, std::pair<const char*, std::string>> cases[] = {
      {"/nowhere", {"404", ""}},
      {"/header", {"404", ""}},
      {"/refused", {"503", reset + "remote connection failure"}},
      {"/empty", {"503", "no healthy upstream"}},
      {"/silent", {"504", "upstream request timeout"}},
      {"/closing", {"503", reset + "connection termination"}},
      {"/garbage", {"502", reset + "protocol error"}},
      {"/full", {"503", reset + "overflow"}},
  };
  for (const auto& [path, expected] : cases) {
    const std::string answer = get(path);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::string(expected.first) + " ")) << path << ": " << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\n" + expected.second)) << path << ": " << answer;
  }
  EXPECT_TRUE(has(get("/full"), "x-envoy-overloaded: true\r\n"));
  const std::string stats = admin("/stats?usedonly");
  EXPECT_TRUE(has(stats, "cluster.silent.upstream_rq_timeout: 1\n")) << stats;
  EXPECT_TRUE(has(stats, "cluster.refused.upstream_cx_connect_fail: 1\n")) << stats;
}

TEST_F(ServerTest, ABodyGoesBothWays) {
  Backend backend([](TestServer::Peer& peer) {
    const size_t body = peer.received.find("\r\n\r\n");
    if (body == std::string::npos || !peer.received.ends_with("end")) return;
    const std::string echoed = peer.received.substr(body + 4);
    peer.send("HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(echoed.size()) + "\r\n\r\n" + echoed);
  });
  add_cluster("app", backend.address());
  start();
  const std::string body = std::string(5'000'000, 'x') + "end";
  Client client(address());
  client.send("POST /app HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: " + std::to_string(body.size()) +
              "\r\n\r\n");
  std::thread sender([&] { client.send(body); });
  const std::string answer = client.read_all();
  sender.join();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n" + body));
}

TEST_F(ServerTest, ShutdownFinishesWhatIsUnderWay) {
  std::promise<TestServer::Peer*> waiting;
  Backend backend([&](TestServer::Peer& peer) { waiting.set_value(&peer); });
  add_cluster("app", backend.address());
  start(2);
  Client client(address());
  client.send("GET /app HTTP/1.1\r\nhost: h\r\n\r\n");
  TestServer::Peer* peer = waiting.get_future().get();
  server_->shutdown();
  // Every worker has heard of it when none of their sockets is open; the admin server is still there to ask.
  while (Client(address()).connected()) {
  }
  EXPECT_TRUE(has(admin("/ready"), "DRAINING"));
  backend.post([peer] { peer->send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"); });
  const std::string answer = client.read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(has(answer, "connection: close\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("ok"));
  thread_.join();
  EXPECT_EQ(status_, 0);
  EXPECT_FALSE(Client(address()).connected());
}

TEST_F(ServerTest, ShutdownSendsTheRestOfAnAnswerThatTheProxyHasWhole) {
  config::DirectResponseAction direct;
  direct.body = std::string(16'000'000, 'x') + "end";
  add_route("/big").action = direct;
  bootstrap_.listeners[0].http.delayed_close_timeout = 60s;  // a busy machine may let the client wait for its turn
  start();
  Client client(address(), 64 * 1024);
  client.send("GET /big HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
  const std::string head = client.read_to("\r\n\r\n");
  server_->shutdown();
  while (Client(address()).connected()) {
  }
  const std::string rest = client.read_all();
  EXPECT_EQ(head.size() - head.find("\r\n\r\n") - 4 + rest.size(), 16'000'003u);
  EXPECT_TRUE(rest.ends_with("end"));
}

TEST_F(ServerTest, QuitquitquitEnds) {
  start();
  EXPECT_TRUE(has(admin("/quitquitquit", "POST"), "200 OK"));
  thread_.join();
  EXPECT_EQ(status_, 0);
}

TEST_F(ServerTest, APortInUseIsNamed) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  socklen_t size = sizeof any;
  getsockname(fd, reinterpret_cast<sockaddr*>(&any), &size);
  bootstrap_.listeners[0].address.port = ntohs(any.sin_port);
  const auto server = Server::create(bootstrap_, {}, *log_);
  ASSERT_FALSE(server);
  EXPECT_TRUE(has(server.error().message, "127.0.0.1:" + std::to_string(ntohs(any.sin_port))))
      << server.error().message;
  close(fd);
}

TEST_F(ServerTest, ASecondProxyDoesNotShareTheFirstOnesPort) {
  start();
  config::Bootstrap second = bootstrap_;
  second.listeners[0].address = address();
  const auto server = Server::create(second, {}, *log_);
  ASSERT_FALSE(server);
  EXPECT_TRUE(has(server.error().message, address().to_string())) << server.error().message;
}

TEST_F(ServerTest, MistakesOfRoutesAndModulesAreNamed) {
  add_route("/").request_headers.add.push_back({"x", "%NOPE%"});
  auto server = Server::create(bootstrap_, {}, *log_);
  ASSERT_FALSE(server);
  EXPECT_TRUE(has(server.error().to_string(), "listener 'in', virtual host 'v', route #1, header 'x'"))
      << server.error().to_string();

  bootstrap_.listeners[0].http.route_config.virtual_hosts[0].routes.clear();
  config::WasmPlugin wasm;
  wasm.plugin.name = "p";
  wasm.code.filename = "bad.wasm";
  wasm.code.bytes = std::make_shared<const std::vector<uint8_t>>(std::vector<uint8_t>{1, 2, 3});
  auto& filters = bootstrap_.listeners[0].http.http_filters;
  filters.insert(filters.begin(), config::HttpFilter{"w", false, wasm});
  const auto valid = Server::validate(bootstrap_, {}, *log_);
  ASSERT_FALSE(valid);
  EXPECT_TRUE(has(valid.error().to_string(), "bad.wasm")) << valid.error().to_string();
}

TEST(LoggerTest, LevelsAndTheirMistakes) {
  auto log = logging::Logger::create({"warning", "wasm:debug,http:trace", ""});
  ASSERT_TRUE(log);
  EXPECT_EQ((*log)->level("wasm"), abi::LogLevel::kDebug);
  EXPECT_EQ((*log)->level("http"), abi::LogLevel::kTrace);
  EXPECT_EQ((*log)->level("anything"), abi::LogLevel::kWarn);
  EXPECT_FALSE(logging::Logger::create({"loud", "", ""}));
  EXPECT_FALSE(logging::Logger::create({"info", "wasm", ""}));
  EXPECT_FALSE(logging::Logger::create({"info", "nope:debug", ""}));
  EXPECT_FALSE(logging::Logger::create({"info", "", "/proc/nothing/log"}));
}

}  // namespace
}  // namespace inlay::proxy
