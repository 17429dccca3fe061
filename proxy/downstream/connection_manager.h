// SPDX-License-Identifier: Apache-2.0
#pragma once

// ConnectionManager: one listener's HTTP connections on one worker (Envoy's HttpConnectionManager). It owns the
// connections that it is given, the pool of streams with their filters, and what is made once from the configuration.
// Loop thread only.
//
//     ConnectionManager manager(loop, {.listener = listener, .metrics = metrics, .factories = {&wasm, &router}});
//     auto listening = net::listen(loop, listener.address,
//                                  [&](std::unique_ptr<net::Connection> c) { manager.accept(std::move(c)); });
//     ...
//     listening->stop_accepting();
//     manager.drain([&] { loop.stop(); });

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "config/model.h"
#include "net/connection.h"
#include "net/connection_owner.h"
#include "net/event_loop.h"
#include "proxy/downstream/filter.h"
#include "stats/metrics.h"

namespace inlay::proxy::downstream {

class StreamLogger;

class ConnectionManager final : public net::ConnectionOwner {
 public:
  struct Options {
    const config::Listener& listener;  // outlives the manager, as all of these do
    stats::MetricStore& metrics;
    // The filters in the order of http_filters, disabled ones left out; the router is the last.
    std::vector<FilterFactory*> factories;
    std::vector<StreamLogger*> loggers = {};  // hear of each stream after its filters' on_log()
    // How often streams that are kept for later requests, and were not needed of late, are given back.
    std::chrono::milliseconds trim_streams_every = std::chrono::seconds(5);
    // Buffers that this thread has freed have left much memory with the allocator.
    std::function<void()> on_peak_over = {};
    // A response whose body has not the length that its content-length says is sent so, as by Envoy; else it is cut
    // off.
    bool lengths_as_given = false;
  };

  ConnectionManager(net::EventLoop& loop, Options options);
  // Closes all connections at once; their streams are reset.
  ~ConnectionManager() override;
  ConnectionManager(const ConnectionManager&) = delete;
  ConnectionManager& operator=(const ConnectionManager&) = delete;

  void accept(std::unique_ptr<net::Connection> connection) override { accept(std::move(connection), nullptr); }
  // `below`: what network filters store with the connection, which its streams read and change. Lives as long as it.
  void accept(std::unique_ptr<net::Connection> connection, std::vector<FilterState>* below);

  // From now on every response says "connection: close", connections without a stream are closed, and new ones get one
  // request. `on_drained` runs when no connection is left, at the earliest on the next turn of the loop; for how long
  // to wait is the caller's to say (Envoy's drain_timeout is about HTTP/2's GOAWAY).
  void drain(std::function<void()> on_drained) override;
  // The same, but a connection of HTTP/1 without a stream gets one more request: its client may have sent it already.
  void retire(std::function<void()> on_drained) override;

  size_t connection_count() const;
  size_t stream_count() const;
  size_t free_stream_count() const;  // kept for later requests

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace inlay::proxy::downstream
