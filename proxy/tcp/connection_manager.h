// SPDX-License-Identifier: Apache-2.0
#pragma once

// ConnectionManager: one listener's TCP connections on one worker: what downstream::ConnectionManager is for HTTP. It
// owns the connections that it is given and what is made once from the configuration. Loop thread only.
//
//     ConnectionManager manager(loop, {.listener = listener, .metrics = metrics, .factories = {&wasm, &tcp_proxy}});
//     auto listening = net::listen(loop, listener.address,
//                                  [&](std::unique_ptr<net::Connection> c) { manager.accept(std::move(c)); });

#include <functional>
#include <memory>
#include <vector>

#include "config/model.h"
#include "net/connection_owner.h"
#include "net/event_loop.h"
#include "proxy/downstream/listener_stats.h"
#include "proxy/downstream/stream_logger.h"
#include "proxy/tcp/filter.h"
#include "proxy/tcp/tcp_stats.h"
#include "stats/metrics.h"

namespace inlay::proxy::tcp {

class ServerConnection;

class ConnectionManager final : public net::ConnectionOwner {
 public:
  struct Options {
    const config::Listener& listener;  // has a tcp_proxy; outlives the manager, as all of these do
    stats::MetricStore& metrics;
    std::vector<FilterFactory*> factories;                // the last makes TcpProxyFilters
    std::vector<downstream::StreamLogger*> loggers = {};  // hear of each connection's end, with empty header maps
  };

  ConnectionManager(net::EventLoop& loop, Options options);
  // Closes all connections at once.
  ~ConnectionManager() override;

  void accept(std::unique_ptr<net::Connection> connection) override;
  // `on_drained` runs when no connection is left, at the earliest on the next turn of the loop. Connections live on
  // until one of their ends closes them, or their idle timeout does: nothing tells when a TCP connection is in use.
  void drain(std::function<void()> on_drained) override;
  size_t connection_count() const { return connections_.size(); }

 private:
  friend class ServerConnection;
  // Gives the connection to the loop to destroy.
  void release(ServerConnection& connection);
  void report_drained();

  net::EventLoop& loop_;
  const Options options_;
  const TcpStats stats_;
  const downstream::ListenerStats listener_stats_;
  std::vector<std::unique_ptr<ServerConnection>> connections_;
  std::function<void()> on_drained_;
  net::DeferredTask drained_task_;
};

}  // namespace inlay::proxy::tcp
