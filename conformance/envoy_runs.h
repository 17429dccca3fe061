// SPDX-License-Identifier: Apache-2.0
#pragma once

// EnvoyRuns: cases in one version of Envoy, in one way (envoys.h), several at a time, since a case mostly waits.

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "conformance/runner.h"

namespace inlay::conformance {

class EnvoyRuns {
 public:
  // Begins to run them, in their order. What the arguments refer to outlives the runs. `expected`: as in
  // run_in_envoy().
  EnvoyRuns(std::vector<const Case*> cases, Envoy envoy, std::string way, const Differences& differences,
            bool expected);
  // Waits for those that have begun; the others are not run.
  ~EnvoyRuns();
  EnvoyRuns(const EnvoyRuns&) = delete;
  EnvoyRuns& operator=(const EnvoyRuns&) = delete;

  // Waits for the run of a case, which must be one of them. Once for each.
  Result<std::string> wait_for(const Case& c);

 private:
  void work();

  std::vector<const Case*> cases_;
  Envoy envoy_;
  std::string way_;
  const Differences& differences_;
  const bool expected_;
  std::atomic<size_t> next_{0};
  std::vector<std::promise<Result<std::string>>> outcomes_;
  std::vector<std::thread> threads_;
};

}  // namespace inlay::conformance
