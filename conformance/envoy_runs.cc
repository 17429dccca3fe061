// SPDX-License-Identifier: Apache-2.0
#include "conformance/envoy_runs.h"

#include <algorithm>
#include <utility>

namespace inlay::conformance {

EnvoyRuns::EnvoyRuns(std::vector<const Case*> cases, Envoy envoy, std::string way, const Differences& differences,
                     bool expected)
    : EnvoyRuns(std::move(cases), [envoy = std::move(envoy), way = std::move(way), &differences, expected](
                                      const Case& c) { return run_in_envoy(c, envoy, way, differences, expected); }) {}

EnvoyRuns::EnvoyRuns(std::vector<const Case*> cases, std::function<Result<std::string>(const Case&)> run)
    : cases_(std::move(cases)), run_(std::move(run)), outcomes_(cases_.size()) {
  const size_t at_once = std::min<size_t>(cases_.size(), std::max(1U, std::thread::hardware_concurrency()) + 2);
  for (size_t i = 0; i < at_once; ++i) threads_.emplace_back([this] { work(); });
}

EnvoyRuns::~EnvoyRuns() {
  next_ = cases_.size();
  for (std::thread& thread : threads_) thread.join();
}

void EnvoyRuns::work() {
  for (size_t i = next_++; i < cases_.size(); i = next_++) {
    outcomes_[i].set_value(run_(*cases_[i]));
  }
}

Result<std::string> EnvoyRuns::wait_for(const Case& c) {
  const auto at = static_cast<size_t>(std::find(cases_.begin(), cases_.end(), &c) - cases_.begin());
  return outcomes_[at].get_future().get();
}

}  // namespace inlay::conformance
