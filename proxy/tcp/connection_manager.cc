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
      drained_task_(loop, net::DeferredTask::When::kNextTurn, [this] { report_drained(); }) {}

ConnectionManager::~ConnectionManager() {
  on_drained_ = nullptr;
  while (!connections_.empty()) connections_.back()->abort();
  loop_.delete_now();  // their filters refer to the factories
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
  loop_.delete_later(std::move(connections_[index]));
  if (index + 1 != connections_.size()) {
    connections_[index] = std::move(connections_.back());
    connections_[index]->set_index(index);
  }
  connections_.pop_back();
  listener_stats_.cx_active.sub();
  if (on_drained_) drained_task_.schedule();
}

void ConnectionManager::report_drained() {
  if (!connections_.empty() || !on_drained_) return;
  std::exchange(on_drained_, nullptr)();
}

void ConnectionManager::drain(std::function<void()> on_drained) {
  on_drained_ = std::move(on_drained);
  drained_task_.schedule();
}

}  // namespace inlay::proxy::tcp
