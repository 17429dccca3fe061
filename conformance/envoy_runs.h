// SPDX-License-Identifier: Apache-2.0
#pragma once

// EnvoyRuns: cases in one version of Envoy, in one way (envoys.h), several at a time, since a case mostly waits.

#include <atomic>
#include <functional>
#include <future>
#include <string>
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
  // The same of whatever runs a case; called on several threads.
  EnvoyRuns(std::vector<const Case*> cases, std::function<Result<std::string>(const Case&)> run);
  // Waits for those that have begun; the others are not run.
  ~EnvoyRuns();
  EnvoyRuns(const EnvoyRuns&) = delete;
  EnvoyRuns& operator=(const EnvoyRuns&) = delete;

  // Waits for the run of a case, which must be one of them. Once for each.
  Result<std::string> wait_for(const Case& c);

 private:
  void work();

  const std::vector<const Case*> cases_;
  const std::function<Result<std::string>(const Case&)> run_;
  std::atomic<size_t> next_{0};
  std::vector<std::promise<Result<std::string>>> outcomes_;
  std::vector<std::thread> threads_;
};

}  // namespace inlay::conformance
