// SPDX-License-Identifier: Apache-2.0
#include "proxy/tcp/connection_manager.h"

#include <utility>

#include "proxy/tcp/server_connection.h"

namespace inlay::proxy::tcp {

ConnectionManager::ConnectionManager(net::EventLoop& loop, Options options)
    : loop_(loop),
      options_(std::move(options)),
      stats_(options_.metrics, *options_.listener.tcp_proxy),
      listener_stats_(options_.metrics, options_.listener),
      bury_task_(loop, net::DeferredTask::When::kNextTurn, [this] { bury(); }) {}

ConnectionManager::~ConnectionManager() {
  on_drained_ = nullptr;
  while (!connections_.empty()) connections_.back()->abort();
}

void ConnectionManager::accept(std::unique_ptr<net::Connection> connection) {
  stats_.downstream_cx_total.add();
  listener_stats_.cx_total.add();
  listener_stats_.cx_active.add();
  connections_.push_back(std::make_unique<ServerConnection>(*this, std::move(connection), connections_.size()));
  connections_.back()->start();
}

void ConnectionManager::release(ServerConnection& connection) {
  const size_t index = connection.index();
  dead_.push_back(std::move(connections_[index]));
  if (index + 1 != connections_.size()) {
    connections_[index] = std::move(connections_.back());
    connections_[index]->set_index(index);
  }
  connections_.pop_back();
  listener_stats_.cx_active.sub();
  bury_task_.schedule();
}

void ConnectionManager::bury() {
  dead_.clear();
  if (!connections_.empty() || !on_drained_) return;
  std::exchange(on_drained_, nullptr)();
}

void ConnectionManager::drain(std::function<void()> on_drained) {
  on_drained_ = std::move(on_drained);
  bury_task_.schedule();
}

}  // namespace inlay::proxy::tcp
