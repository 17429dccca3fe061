// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests: a TCP listener with its chain, servers behind it and clients before it, all over real loopback sockets on
// the test's own loop.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "net/connection.h"
#include "proxy/tcp/connection_manager.h"
#include "proxy/tcp/tcp_proxy.h"
#include "stats/metrics.h"
#include "upstream/cluster_manager.h"

namespace inlay::proxy::tcp::testing {

using std::chrono::milliseconds;

// One end of a connection: records what it hears.
struct End final : net::ConnectionHandler {
  std::unique_ptr<net::Connection> connection;
  std::string received;
  size_t bytes = 0;         // all that came
  bool keep = true;         // what came, in `received`
  bool answers_end = true;  // closes its own side when the other has
  bool connected = false;
  bool ended = false;   // FIN
  bool closed = false;  // RST, or no connection at all
  bool reset_seen = false;
  int above = 0;
  int below = 0;
  std::function<void(End&)> on_bytes;

  void on_connected() override { connected = true; }
  void on_data(Buffer& data, bool end) override {
    bytes += data.size();
    if (keep) received += data.to_string();
    data.clear();
    ended = ended || end;
    if (on_bytes) on_bytes(*this);
    if (end && answers_end) connection->shutdown_write();
  }
  void on_above_write_watermark() override { ++above; }
  void on_below_write_watermark() override { ++below; }
  void on_closed(net::CloseReason reason, std::string_view) override {
    closed = true;
    reset_seen = reason == net::CloseReason::kRemoteReset;
  }
  bool over() const { return ended || closed; }
  void reset() {
    connection->close(net::Connection::Close::kReset);
    connection.reset();
  }
};

// A filter made of functions.
struct ScriptedFilter final : Filter {
  FilterCallbacks* callbacks = nullptr;
  std::function<Action(ScriptedFilter&)> new_connection;
  std::function<Action(ScriptedFilter&, Buffer&, bool)> read;
  std::function<Action(ScriptedFilter&, Buffer&, bool)> write;
  std::string* trace = nullptr;
  std::string name;

  void start(FilterCallbacks& c) override { callbacks = &c; }
  Action on_new_connection() override {
    note("new");
    return new_connection ? new_connection(*this) : Action::kContinue;
  }
  Action on_read(Buffer& data, bool end) override {
    note("read:" + data.to_string() + (end ? "." : ""));
    return read ? read(*this, data, end) : Action::kContinue;
  }
  Action on_write(Buffer& data, bool end) override {
    note("write:" + data.to_string() + (end ? "." : ""));
    return write ? write(*this, data, end) : Action::kContinue;
  }
  void on_close(abi::PeerType by) override { note(by == abi::PeerType::kRemote ? "remote" : "local"); }
  void note(const std::string& what) {
    if (trace != nullptr) *trace += name + " " + what + "\n";
  }
};

struct ScriptedFactory final : FilterFactory {
  std::function<void(ScriptedFilter&)> prepare;
  ScriptedFilter* last = nullptr;  // the filter that was made last
  std::unique_ptr<Filter> create() override {
    auto filter = std::make_unique<ScriptedFilter>();
    if (prepare) prepare(*filter);
    last = filter.get();
    return filter;
  }
};

class RelayTest : public ::testing::Test {
 protected:
  RelayTest() {
    listener_.address = {"127.0.0.1", 0};
    listener_.stat_prefix = "in";
    listener_.tcp_proxy.emplace();
    listener_.tcp_proxy->stat_prefix = "t";
    listener_.tcp_proxy->targets = {{"app", 1}};
    server_socket_ = net::listen(loop_, {"127.0.0.1", 0}, [this](std::unique_ptr<net::Connection> c) {
                       servers_.push_back(std::make_unique<End>());
                       End& end = *servers_.back();
                       end.connection = std::move(c);
                       end.connected = true;
                       end.connection->set_handler(&end);
                       if (on_server) on_server(end);
                       if (servers_read_) end.connection->resume_reading();
                     }).value();
    add_cluster("app", server_socket_->address());
  }

  config::Cluster& add_cluster(const std::string& name, std::optional<Address> address) {
    config_.emplace_back();
    config_.back().name = name;
    if (address) {
      config_.back().endpoints.resize(1);
      config_.back().endpoints[0].address = *address;
    }
    return config_.back();
  }

  void make_clusters() {
    if (registry_) return;
    registry_.emplace(config_, metrics_, [](std::string_view) {});
    clusters_.emplace(loop_, *registry_);
  }
  // The listener with `filters_` before its tcp_proxy.
  void serve() {
    make_clusters();
    proxy_factory_.emplace(loop_, *listener_.tcp_proxy, *clusters_, metrics_, 0u);
    std::vector<FilterFactory*> factories = filters_;
    factories.push_back(&*proxy_factory_);
    manager_.emplace(loop_, ConnectionManager::Options{listener_, metrics_, factories, loggers_});
    socket_ = net::listen(loop_, listener_.address, [this](std::unique_ptr<net::Connection> c) {
                manager_->accept(std::move(c));
              }).value();
  }
  End& client(bool reading = true) {
    if (!socket_) serve();
    clients_.push_back(std::make_unique<End>());
    End& end = *clients_.back();
    end.connection = net::connect(loop_, socket_->address(), milliseconds(2000), end);
    if (reading) end.connection->resume_reading();
    return end;
  }
  End& server(size_t i = 0) {
    run_until([&] { return servers_.size() > i; });
    return *servers_.at(i);
  }
  // Turns the loop until the condition holds.
  template <class Condition>
  void run_until(Condition condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition() && std::chrono::steady_clock::now() < give_up) loop_.run_once(milliseconds(50));
    ASSERT_TRUE(condition());
  }
  // Turns the loop until nothing is left to do: for what must not happen.
  void settle() {
    for (int i = 0; i < 20; ++i) loop_.run_once(milliseconds(2));
  }
  void run_until_none_is_left() {
    run_until([&] { return manager_->connection_count() == 0; });
  }
  int64_t metric(std::string_view name) {
    int64_t value = -1;
    metrics_.for_each([&](const stats::MetricView& m) {
      if (m.name == name) value = m.value;
    });
    return value;
  }

  net::EventLoop loop_;
  stats::MetricStore metrics_{1};
  config::Listener listener_;
  std::vector<config::Cluster> config_;
  std::vector<FilterFactory*> filters_;
  std::vector<downstream::StreamLogger*> loggers_;
  bool servers_read_ = true;
  std::function<void(End&)> on_server;
  std::unique_ptr<net::Listener> server_socket_;
  std::vector<std::unique_ptr<End>> servers_;
  std::vector<std::unique_ptr<End>> clients_;
  std::optional<upstream::ClusterRegistry> registry_;
  std::optional<upstream::ClusterManager> clusters_;
  std::optional<TcpProxyFactory> proxy_factory_;
  std::optional<ConnectionManager> manager_;
  std::unique_ptr<net::Listener> socket_;
};

}  // namespace inlay::proxy::tcp::testing
