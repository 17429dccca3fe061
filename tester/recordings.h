// SPDX-License-Identifier: Apache-2.0
#pragma once

// Recordings: what the guests of a suite's cases call and what of them is called, in numbers. Guests are interpreted
// for it, with a counter in each function.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "coverage/counted_module.h"
#include "engine/engine.h"

namespace inlay::tester {

// What the guests of one case did, from their start on, on all threads of the proxy.
struct CallCounts {
  uint64_t of_guests = 0;  // calls of callbacks and other exports
  uint64_t of_host = 0;    // calls of host functions
  std::chrono::nanoseconds in_guests{0};
  std::chrono::nanoseconds in_host{0};
};

// Of a suite. Any thread.
class Recordings {
 public:
  // Of one case, on one thread. `all` outlives it.
  class OfCase {
   public:
    explicit OfCase(Recordings& all) : all_(all) {}
    // The module for this case. `name`: what reports call it. Errors: those of compiler::load_module().
    Result<std::shared_ptr<engine::Module>> load(const std::string& name, const std::vector<uint8_t>& bytes);
    // Adds all up, once the guests have ended.
    CallCounts finish();

   private:
    Recordings& all_;
    std::vector<std::pair<std::shared_ptr<coverage::CountedModule>, std::shared_ptr<compiler::Recorder>>> modules_;
  };

  // Of each module that a case has loaded, in the order of their names.
  std::vector<coverage::ModuleCoverage> coverage() const;

 private:
  Result<std::shared_ptr<coverage::CountedModule>> find(const std::string& name, const std::vector<uint8_t>& bytes);

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<coverage::CountedModule>> modules_;  // by the hash of their bytes
};

}  // namespace inlay::tester
