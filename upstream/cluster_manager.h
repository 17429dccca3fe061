// SPDX-License-Identifier: Apache-2.0
#pragma once

// ClusterManager: a worker's view of the clusters: its load balancers and connection pools. Made, used and destroyed on
// the worker's thread; follows the registry's DNS answers by itself. What the workers share (configuration, statistics,
// circuit breakers, the hosts) is ClusterRegistry's, in upstream/cluster.h.
//
//     ClusterManager manager(loop, registry);         // the registry outlives it, and the loop
//     WorkerCluster* cluster = manager.find("app");   // nullptr: there is none; or at(index), from the route table
//     ConnectionPool* host = cluster->choose_host();  // nullptr: no host

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "net/event_loop.h"
#include "upstream/cluster.h"
#include "upstream/connection_pool.h"
#include "upstream/load_balancer.h"

namespace inlay::upstream {

// WorkerCluster is one cluster on one worker. ClusterManager owns it, and it the pools of its hosts.
class WorkerCluster {
 public:
  // All outlive it. `seed`: for the load balancer's random choices.
  WorkerCluster(net::EventLoop& loop, Cluster& cluster, uint64_t seed);

  Cluster& shared() { return cluster_; }
  const config::Cluster& config() const { return cluster_.config; }
  ClusterStats& stats() { return cluster_.stats; }
  // The host for the next request, by lb_policy; nullptr, which is counted, when the cluster has none. Hosts that are
  // configured as unhealthy are left out as long as at least half of all are healthy (Envoy's panic threshold). Choose
  // anew for each request: the pool goes with its host, when it has no request left. `http2`: the request came as
  // HTTP/2, which counts where requests go out as they came.
  ConnectionPool* choose_host(bool http2 = false);
  // One for each host that there is now.
  const std::vector<std::unique_ptr<ConnectionPool>>& pools() const { return pools_; }
  // Takes over the registry's present hosts; pools of addresses that stay are kept, and those that go finish the
  // requests that they have.
  void refresh();

 private:
  void sweep_drained();

  net::EventLoop& loop_;
  Cluster& cluster_;
  uint64_t seed_;
  std::vector<std::unique_ptr<ConnectionPool>> pools_;
  std::vector<std::unique_ptr<ConnectionPool>> draining_;
  std::vector<ConnectionPool*> candidates_;  // what the balancer's indices mean
  std::unique_ptr<LoadBalancer> balancer_;   // null: no host
};

class ClusterManager {
 public:
  // `seed`: another one for each worker, so that they do not all choose the same hosts in the same order.
  ClusterManager(net::EventLoop& loop, ClusterRegistry& registry, uint64_t seed = 0);
  ~ClusterManager();
  ClusterManager(const ClusterManager&) = delete;
  ClusterManager& operator=(const ClusterManager&) = delete;

  // By its place in the bootstrap, below ClusterRegistry::size(); by its name, nullptr if there is none. Valid as long
  // as the manager.
  WorkerCluster& at(size_t index) { return *clusters_[index]; }
  WorkerCluster* find(std::string_view name);
  ClusterRegistry& registry() { return registry_; }

 private:
  net::EventLoop& loop_;
  ClusterRegistry& registry_;
  std::vector<std::unique_ptr<WorkerCluster>> clusters_;
  std::shared_ptr<bool> alive_;
  uint64_t subscription_;
};

}  // namespace inlay::upstream
