// SPDX-License-Identifier: Apache-2.0
#pragma once

// LoadBalancer: which host of a cluster takes the next request. It knows hosts by their index and weight only; a new
// one is made whenever the hosts change. Loop thread only, no allocation after create().
//
//     auto lb = LoadBalancer::create(LbPolicy::kRoundRobin, {1, 3}, active, seed);
//     size_t host = lb->choose();

#include <cstdint>
#include <memory>
#include <vector>

#include "config/model.h"

namespace inlay::upstream {

class LoadBalancer {
 public:
  virtual ~LoadBalancer() = default;
  // An index below weights.size().
  virtual size_t choose() = 0;

  // `weights`: one for each host, at least one host, each at least 1. `active`: where each host's number of requests
  // under way stands (LEAST_REQUEST reads it); outlives the balancer. `seed` makes the workers start at different
  // hosts.
  static std::unique_ptr<LoadBalancer> create(config::Cluster::LbPolicy policy, std::vector<uint32_t> weights,
                                              std::vector<const uint32_t*> active, uint64_t seed);
};

}  // namespace inlay::upstream
