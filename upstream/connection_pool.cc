// SPDX-License-Identifier: Apache-2.0
#include "upstream/connection_pool.h"

#include <algorithm>
#include <string>

namespace inlay::upstream {

ConnectionPool::ConnectionPool(net::EventLoop& loop, Cluster& cluster, HostSpec host, ConnectionPool* parent)
    : loop_(loop),
      cluster_(cluster),
      host_(std::move(host)),
      parent_(parent),
      serve_task_(loop, net::DeferredTask::When::kNextTurn, [this] { serve_pending(); }) {}

ConnectionPool::~ConnectionPool() {
  while (first_pending_ != nullptr) {
    UpstreamRequest& request = *first_pending_;
    unqueue(request);
    request.pool_ = nullptr;
  }
  for (auto& connection : connections_) connection->abandon();
  cluster_.breakers.connections.fetch_sub(static_cast<uint32_t>(connections_.size()), std::memory_order_relaxed);
  cluster_.stats.cx_active.sub(static_cast<int64_t>(connections_.size()));
}

void ConnectionPool::update_host(HostSpec host) {
  if (http1_) http1_->update_host(host);
  host_ = std::move(host);
}

ConnectionPool& ConnectionPool::http1() {
  if (!http1_) http1_ = std::make_unique<ConnectionPool>(loop_, cluster_, host_, this);
  return *http1_;
}

void ConnectionPool::count(int more) {
  active_requests_ += static_cast<uint32_t>(more);
  if (parent_ != nullptr) parent_->count(more);
}

bool ConnectionPool::acquire(UpstreamRequest& request) {
  ClusterStats& stats = cluster_.stats;
  Breakers& breakers = cluster_.breakers;
  if (breakers.requests.load(std::memory_order_relaxed) >= cluster_.config.max_requests) {
    stats.rq_pending_overflow.add();
    return false;
  }
  ClientConnection* connection = first_pending_ == nullptr ? take_idle() : nullptr;  // who came first is served first
  if (connection == nullptr &&
      breakers.pending.load(std::memory_order_relaxed) >= cluster_.config.max_pending_requests + resting_.size()) {
    stats.rq_pending_overflow.add();
    return false;
  }
  breakers.requests.fetch_add(1, std::memory_order_relaxed);
  count(1);
  stats.rq_total.add();
  stats.rq_active.add();
  request.pool_ = this;
  if (connection != nullptr) {
    connection->begin(request);
    return true;
  }
  enqueue(request);
  connect_as_needed();
  if (!resting_.empty() || !idle_.empty()) serve_task_.schedule();
  return true;
}

// The oldest, so that those that were made for a peak become idle.
ClientConnection* ConnectionPool::find_open() {
  for (const auto& connection : connections_) {
    if (connection->capacity() > 0) return connection.get();
  }
  return nullptr;
}

ClientConnection* ConnectionPool::take_idle() {
  if (multiplexes()) return find_open();
  if (!resting_.empty() && resting_since_ != loop_.turn()) {
    idle_.insert(idle_.end(), resting_.begin(), resting_.end());
    resting_.clear();
  }
  for (size_t i = idle_.size(); i-- > 0;) {
    ClientConnection* connection = idle_[i];
    if (connection->has_news()) continue;  // it is about to end, or there was nothing in it: the next turn knows
    idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(i));
    return connection;
  }
  return nullptr;
}

void ConnectionPool::rest(ClientConnection& connection) {
  if (resting_since_ != loop_.turn()) {
    idle_.insert(idle_.end(), resting_.begin(), resting_.end());
    resting_.clear();
    resting_since_ = loop_.turn();
  }
  resting_.push_back(&connection);
  connection.become_idle();
}

void ConnectionPool::serve_pending() {
  while (first_pending_ != nullptr) {
    ClientConnection* connection = take_idle();
    if (connection == nullptr) break;
    UpstreamRequest& request = *first_pending_;
    unqueue(request);
    connection->begin(request);
  }
  if (first_pending_ != nullptr && (!resting_.empty() || !idle_.empty())) serve_task_.schedule();
  if (first_pending_ != nullptr && multiplexes()) connect_as_needed();
  if (first_pending_ == nullptr && draining_) drain();
}

void ConnectionPool::forget(UpstreamRequest& request) {
  if (request.queued_in_pool_) unqueue(request);
  cluster_.breakers.requests.fetch_sub(1, std::memory_order_relaxed);
  cluster_.stats.rq_active.sub();
  count(-1);
}

void ConnectionPool::replay(UpstreamRequest& request) {
  cluster_.stats.rq_retry.add();
  enqueue(request);
  if (multiplexes()) return on_capacity();
  // Not one of the idle ones: they may be as dead as the one that failed.
  if (connecting_ < pending_) connect();
}

void ConnectionPool::enqueue(UpstreamRequest& request) {
  request.next_ = nullptr;
  request.previous_ = last_pending_;
  (last_pending_ == nullptr ? first_pending_ : last_pending_->next_) = &request;
  last_pending_ = &request;
  request.queued_in_pool_ = true;
  ++pending_;
  cluster_.breakers.pending.fetch_add(1, std::memory_order_relaxed);
  cluster_.stats.rq_pending_total.add();
  cluster_.stats.rq_pending_active.add();
}

void ConnectionPool::unqueue(UpstreamRequest& request) {
  (request.previous_ == nullptr ? first_pending_ : request.previous_->next_) = request.next_;
  (request.next_ == nullptr ? last_pending_ : request.next_->previous_) = request.previous_;
  request.next_ = request.previous_ = nullptr;
  request.queued_in_pool_ = false;
  --pending_;
  cluster_.breakers.pending.fetch_sub(1, std::memory_order_relaxed);
  cluster_.stats.rq_pending_active.sub();
}

void ConnectionPool::connect_as_needed() {
  const size_t each = multiplexes() ? cluster_.config.http2->max_concurrent_streams : 1;
  while (connecting_ * each + resting_.size() < pending_) {
    const uint32_t open = cluster_.breakers.connections.load(std::memory_order_relaxed);
    // A host without any connection always gets one, so that max_connections cannot starve it.
    if (open >= cluster_.config.max_connections && !connections_.empty()) {
      cluster_.stats.cx_overflow.add();
      return;
    }
    connect();
  }
}

void ConnectionPool::connect() {
  cluster_.breakers.connections.fetch_add(1, std::memory_order_relaxed);
  cluster_.stats.cx_total.add();
  (multiplexes() ? cluster_.stats.cx_http2_total : cluster_.stats.cx_http1_total).add();
  cluster_.stats.cx_active.add();
  ++connecting_;
  connections_.push_back((multiplexes() ? make_http2_connection : make_http1_connection)(*this, loop_));
}

void ConnectionPool::begin_tcp() {
  cluster_.breakers.connections.fetch_add(1, std::memory_order_relaxed);
  ClusterStats& stats = cluster_.stats;
  stats.cx_total.add();
  stats.cx_active.add();
  stats.rq_total.add();
  stats.rq_active.add();
  count(1);
}

void ConnectionPool::end_tcp() {
  cluster_.breakers.connections.fetch_sub(1, std::memory_order_relaxed);
  cluster_.stats.cx_active.sub();
  cluster_.stats.cx_destroy.add();
  cluster_.stats.rq_active.sub();
  count(-1);
}

void ConnectionPool::on_connected(ClientConnection& connection) {
  --connecting_;
  if (multiplexes()) {
    serve_pending();
    return close_if_drained(connection);
  }
  if (first_pending_ == nullptr) return on_free(connection);
  UpstreamRequest& request = *first_pending_;
  unqueue(request);
  connection.begin(request);
}

void ConnectionPool::close_if_drained(ClientConnection& connection) {
  if (!draining_ || first_pending_ != nullptr || connection.busy()) return;
  connection.close();
  on_gone(connection, false);
}

void ConnectionPool::on_capacity() {
  if (first_pending_ == nullptr) return;
  serve_task_.schedule();
  connect_as_needed();
}

void ConnectionPool::on_free(ClientConnection& connection) {
  if (draining_ && first_pending_ == nullptr) return close_if_drained(connection);
  if (multiplexes()) return on_capacity();
  rest(connection);
  if (first_pending_ != nullptr) serve_task_.schedule();
}

void ConnectionPool::on_connect_failed(ClientConnection& connection, ResetReason reason, std::string_view detail) {
  --connecting_;
  ClusterStats& stats = cluster_.stats;
  stats.cx_connect_fail.add();
  if (reason == ResetReason::kConnectTimeout) stats.cx_connect_timeout.add();
  const std::string text(detail);
  remove(connection);
  // The host does not take connections: all that wait for one fail, those that come later try anew.
  for (size_t left = pending_; left > 0 && first_pending_ != nullptr; --left) {
    UpstreamRequest& request = *first_pending_;
    unqueue(request);
    stats.rq_pending_failure_eject.add();
    request.finish_reset(reason, text);
  }
  connect_as_needed();
}

void ConnectionPool::on_gone(ClientConnection& connection, bool by_peer) {
  (by_peer ? cluster_.stats.cx_destroy_remote : cluster_.stats.cx_destroy_local).add();
  remove(connection);
  connect_as_needed();
}

void ConnectionPool::remove(ClientConnection& connection) {
  std::erase(idle_, &connection);
  std::erase(resting_, &connection);
  const auto it = std::find_if(connections_.begin(), connections_.end(),
                               [&](const auto& owned) { return owned.get() == &connection; });
  if (it == connections_.end()) return;
  cluster_.breakers.connections.fetch_sub(1, std::memory_order_relaxed);
  cluster_.stats.cx_active.sub();
  cluster_.stats.cx_destroy.add();
  auto owned = std::move(*it);
  *it = std::move(connections_.back());
  connections_.pop_back();
  loop_.delete_later(std::move(owned));
}

void ConnectionPool::drain() {
  draining_ = true;
  if (http1_) http1_->drain();
  std::vector<ClientConnection*> idle;
  for (const auto& connection : connections_) {
    if (connection->capacity() > 0 && !connection->busy()) idle.push_back(connection.get());
  }
  for (ClientConnection* connection : idle) {
    connection->close();
    on_gone(*connection, false);
  }
}

}  // namespace inlay::upstream
