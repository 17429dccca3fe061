// SPDX-License-Identifier: Apache-2.0
#include "upstream/load_balancer.h"

#include <algorithm>
#include <numeric>

namespace inlay::upstream {
namespace {

// splitmix64: small state, good enough to spread load, not for secrets.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t n) { return next() % n; }

 private:
  uint64_t state_;
};

bool all_equal(const std::vector<uint32_t>& weights) {
  return std::all_of(weights.begin(), weights.end(), [&](uint32_t w) { return w == weights.front(); });
}

class RoundRobin final : public LoadBalancer {
 public:
  RoundRobin(size_t hosts, uint64_t seed) : hosts_(hosts), next_(Random(seed).below(hosts)) {}
  size_t choose() override {
    const size_t host = next_;
    next_ = next_ + 1 == hosts_ ? 0 : next_ + 1;
    return host;
  }

 private:
  size_t hosts_;
  size_t next_;
};

// Smooth weighted round robin: each turn every host gains its weight and the richest one pays the total, which spreads
// a heavy host's turns evenly.
class WeightedRoundRobin final : public LoadBalancer {
 public:
  explicit WeightedRoundRobin(std::vector<uint32_t> weights)
      : weights_(std::move(weights)),
        credit_(weights_.size(), 0),
        total_(std::accumulate(weights_.begin(), weights_.end(), int64_t{0})) {}
  size_t choose() override {
    size_t best = 0;
    for (size_t i = 0; i < weights_.size(); ++i) {
      credit_[i] += weights_[i];
      if (credit_[i] > credit_[best]) best = i;
    }
    credit_[best] -= total_;
    return best;
  }

 private:
  std::vector<uint32_t> weights_;
  std::vector<int64_t> credit_;
  int64_t total_;
};

class WeightedRandom {
 public:
  WeightedRandom(const std::vector<uint32_t>& weights, uint64_t seed) : random_(seed) {
    uint64_t sum = 0;
    for (const uint32_t w : weights) bounds_.push_back(sum += w);
  }
  size_t next() {
    const uint64_t at = random_.below(bounds_.back());
    return static_cast<size_t>(std::upper_bound(bounds_.begin(), bounds_.end(), at) - bounds_.begin());
  }

 private:
  std::vector<uint64_t> bounds_;
  Random random_;
};

class RandomChoice final : public LoadBalancer {
 public:
  RandomChoice(const std::vector<uint32_t>& weights, uint64_t seed) : random_(weights, seed) {}
  size_t choose() override { return random_.next(); }

 private:
  WeightedRandom random_;
};

// Two hosts drawn at random, the one with fewer requests for its weight wins.
class LeastRequest final : public LoadBalancer {
 public:
  LeastRequest(std::vector<uint32_t> weights, std::vector<const uint32_t*> active, uint64_t seed)
      : random_(weights, seed), weights_(std::move(weights)), active_(std::move(active)) {}
  size_t choose() override {
    const size_t a = random_.next();
    const size_t b = random_.next();
    const uint64_t load_a = (uint64_t{*active_[a]} + 1) * weights_[b];
    const uint64_t load_b = (uint64_t{*active_[b]} + 1) * weights_[a];
    return load_b < load_a ? b : a;
  }

 private:
  WeightedRandom random_;
  std::vector<uint32_t> weights_;
  std::vector<const uint32_t*> active_;
};

}  // namespace

std::unique_ptr<LoadBalancer> LoadBalancer::create(config::Cluster::LbPolicy policy, std::vector<uint32_t> weights,
                                                   std::vector<const uint32_t*> active, uint64_t seed) {
  using LbPolicy = config::Cluster::LbPolicy;
  for (uint32_t& w : weights) w = std::max(w, 1u);
  switch (policy) {
    case LbPolicy::kRandom:
      return std::make_unique<RandomChoice>(weights, seed);
    case LbPolicy::kLeastRequest:
      return std::make_unique<LeastRequest>(std::move(weights), std::move(active), seed);
    case LbPolicy::kRoundRobin:
      break;
  }
  if (all_equal(weights)) return std::make_unique<RoundRobin>(weights.size(), seed);
  return std::make_unique<WeightedRoundRobin>(std::move(weights));
}

}  // namespace inlay::upstream
