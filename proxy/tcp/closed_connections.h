// SPDX-License-Identifier: Apache-2.0
#pragma once

// ClosedConnections: what a filter chain without filters does with its connections, as in Envoy: it counts and closes
// them at once. Loop thread only.

#include <functional>
#include <memory>
#include <utility>

#include "config/model.h"
#include "net/connection_owner.h"
#include "net/event_loop.h"
#include "proxy/downstream/listener_stats.h"
#include "stats/metrics.h"

namespace inlay::proxy::tcp {

class ClosedConnections final : public net::ConnectionOwner {
 public:
  ClosedConnections(net::EventLoop& loop, stats::MetricStore& metrics, const config::Listener& listener)
      : stats_(metrics, listener), drained_task_(loop, net::DeferredTask::When::kNextTurn, [this] {
          if (const auto on_drained = std::exchange(on_drained_, nullptr)) on_drained();
        }) {}
  void accept(std::unique_ptr<net::Connection> connection) override {
    stats_.cx_total.add();
    connection->close(net::Connection::Close::kNow);
  }
  void drain(std::function<void()> on_drained) override {
    on_drained_ = std::move(on_drained);
    drained_task_.schedule();
  }

 private:
  downstream::ListenerStats stats_;
  std::function<void()> on_drained_;
  net::DeferredTask drained_task_;
};

}  // namespace inlay::proxy::tcp
