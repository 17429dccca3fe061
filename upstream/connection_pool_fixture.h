// SPDX-License-Identifier: Apache-2.0
#pragma once

// For tests of connection pools: a cluster whose one host is a server on the test's own loop, and requests to it.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/socket_address.h"
#include "upstream/cluster_manager.h"
#include "upstream/connection_pool.h"
#include "upstream/request.h"
#include "upstream/test_server.h"

namespace inlay::upstream::testing {

inline constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

// A request and what came of it.
class Exchange final : public UpstreamHandler {
 public:
  Exchange() : request(*this) {}
  bool start(ConnectionPool& pool, std::string_view method = "GET", bool end = true) {
    headers.clear();
    headers.add(":method", method);
    headers.add(":path", "/p");
    headers.add(":authority", "up");
    headers.add(":scheme", "http");
    return request.start(pool, headers, end) == UpstreamRequest::Started::kYes;
  }
  void send(std::string_view text, bool end) {
    Buffer data;
    data.append(text);
    request.send_data(data, end);
  }

  http::HeaderMap& response_headers_storage() override { return response; }
  http::HeaderMap& response_trailers_storage() override { return trailers; }
  void on_upstream_informational() override { interim.emplace_back(response.value(http::HeaderId::kStatus)); }
  void on_upstream_headers(bool end) override {
    status = response.value(http::HeaderId::kStatus);
    done = end;
    if (cancel_on_headers) request.cancel();
  }
  void on_upstream_data(Buffer& data, bool end) override {
    body += data.to_string();
    pieces.push_back(data.to_string() + (end ? "(end)" : ""));
    data.clear();
    done = end;
  }
  void on_upstream_trailers() override { done = true; }
  void on_upstream_reset(ResetReason r, std::string_view d) override {
    reset = r;
    detail = d;
    done = true;
  }
  void on_upstream_above_watermark() override { ++above; }
  void on_upstream_below_watermark() override { ++below; }

  UpstreamRequest request;
  http::HeaderMap headers, response, trailers;
  std::string status, body, detail;
  std::optional<ResetReason> reset;
  bool done = false;
  bool cancel_on_headers = false;
  std::vector<std::string> interim;
  std::vector<std::string> pieces;  // of the body
  int above = 0, below = 0;
};

class ConnectionPoolTest : public ::testing::Test {
 protected:
  ConnectionPoolTest() : server_(loop_) {
    server_.on_bytes = [](TestServer::Peer& peer) {
      if (peer.received.ends_with("\r\n\r\n")) {
        ++peer.requests;
        peer.send(kOk);
      }
    };
  }
  void SetUp() override {
    config::Cluster config;
    config.name = "c";
    config.endpoints.resize(1);
    config.endpoints[0].address = server_.address();
    configure(config);
    clusters_.push_back(config);
    make();
  }
  virtual void configure(config::Cluster&) {}
  void make() {
    manager_.reset();
    registry_ = std::make_unique<ClusterRegistry>(clusters_, store_, nullptr);
    manager_ = std::make_unique<ClusterManager>(loop_, *registry_);
  }
  ConnectionPool& pool() { return *manager_->at(0).choose_host(); }
  // A listener of which the loop knows nothing, as the cluster's endpoint from the next make() on.
  int listen_raw() {
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = net::to_socket_address({"127.0.0.1", 0});
    EXPECT_EQ(bind(listener, address->get(), address->size), 0);
    EXPECT_EQ(listen(listener, 1), 0);
    clusters_[0].endpoints[0].address = net::local_address_of(listener);
    manager_.reset();
    return listener;
  }
  // And lets the loop see that the connection is quiet.
  bool finish(Exchange& e) {
    const bool done = run_until(loop_, [&] { return e.done; });
    loop_.run_once(std::chrono::milliseconds(0));
    return done;
  }
  int64_t stat(std::string_view name) {
    int64_t value = -1;
    store_.for_each([&](const stats::MetricView& m) {
      if (m.name == "cluster.c." + std::string(name)) value = m.value;
    });
    return value;
  }

  net::EventLoop loop_;
  stats::MetricStore store_;
  TestServer server_;
  std::vector<config::Cluster> clusters_;
  std::unique_ptr<ClusterRegistry> registry_;
  std::unique_ptr<ClusterManager> manager_;
};

}  // namespace inlay::upstream::testing
