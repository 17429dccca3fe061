// SPDX-License-Identifier: Apache-2.0
#include "upstream/cluster_manager.h"

#include <algorithm>

namespace inlay::upstream {

WorkerCluster::WorkerCluster(net::EventLoop& loop, Cluster& cluster, uint64_t seed)
    : loop_(loop), cluster_(cluster), seed_(seed) {
  refresh();
}

ConnectionPool* WorkerCluster::choose_host(bool http2) {
  if (!balancer_) {
    cluster_.stats.cx_none_healthy.add();
    return nullptr;
  }
  ConnectionPool* const host = candidates_[balancer_->choose()];
  return cluster_.config.as_downstream && !http2 ? &host->http1() : host;
}

void WorkerCluster::refresh() {
  sweep_drained();
  const auto hosts = cluster_.hosts();
  auto old = std::move(pools_);
  pools_.clear();
  for (const HostSpec& host : *hosts) {
    const auto kept = std::find_if(old.begin(), old.end(), [&](const auto& pool) {
      return pool && pool->host().address.is_same_place(host.address);
    });
    if (kept != old.end()) {
      (*kept)->update_host(host);
      pools_.push_back(std::move(*kept));
    } else {
      pools_.push_back(std::make_unique<ConnectionPool>(loop_, cluster_, host));
    }
  }
  for (auto& pool : old) {
    if (!pool) continue;
    pool->drain();
    draining_.push_back(std::move(pool));
  }

  const auto healthy = std::count_if(hosts->begin(), hosts->end(), [](const HostSpec& h) { return h.healthy; });
  const bool panic = static_cast<size_t>(healthy) * 2 < hosts->size();
  candidates_.clear();
  std::vector<uint32_t> weights;
  std::vector<const uint32_t*> active;
  for (const auto& pool : pools_) {
    if (!pool->host().healthy && !panic) continue;
    candidates_.push_back(pool.get());
    weights.push_back(pool->host().weight);
    active.push_back(&pool->active_requests());
  }
  balancer_.reset();
  if (!candidates_.empty()) {
    balancer_ = LoadBalancer::create(cluster_.config.lb_policy, std::move(weights), std::move(active), seed_);
  }
}

void WorkerCluster::sweep_drained() {
  std::erase_if(draining_, [](const auto& pool) { return pool->drained(); });
}

ClusterManager::ClusterManager(net::EventLoop& loop, ClusterRegistry& registry, uint64_t seed)
    : loop_(loop), registry_(registry), alive_(std::make_shared<bool>(true)) {
  // First subscribe, then look: no answer in between is missed.
  subscription_ = registry_.subscribe([this, alive = alive_](size_t index) {
    loop_.post([this, alive, index] {
      if (*alive && index < clusters_.size()) clusters_[index]->refresh();
    });
  });
  for (size_t i = 0; i < registry_.size(); ++i) {
    clusters_.push_back(std::make_unique<WorkerCluster>(loop_, registry_.at(i), seed));
  }
}

ClusterManager::~ClusterManager() {
  registry_.unsubscribe(subscription_);
  *alive_ = false;
  clusters_.clear();
  loop_.delete_now();
}

WorkerCluster* ClusterManager::find(std::string_view name) {
  const auto index = registry_.find(name);
  return index ? clusters_[*index].get() : nullptr;
}

}  // namespace inlay::upstream
