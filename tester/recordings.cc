// SPDX-License-Identifier: Apache-2.0
#include "tester/recordings.h"

#include <algorithm>
#include <numeric>
#include <span>

#include "engine/sha256.h"

namespace inlay::tester {

using coverage::CountedModule;
using coverage::ModuleCoverage;

Result<std::shared_ptr<CountedModule>> Recordings::find(const std::string& name, const std::vector<uint8_t>& bytes) {
  const std::string hash = engine::sha256(std::span<const uint8_t>(bytes));
  const std::lock_guard lock(mutex_);
  auto& module = modules_[hash];
  if (module != nullptr) return module;
  auto made = CountedModule::make(name, bytes);
  if (!made) {
    modules_.erase(hash);
    return made.error();
  }
  module = *made;
  return module;
}

std::vector<ModuleCoverage> Recordings::coverage() const {
  const std::lock_guard lock(mutex_);
  std::vector<ModuleCoverage> all;
  for (const auto& [hash, module] : modules_) all.push_back(module->coverage());
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

Result<std::shared_ptr<engine::Module>> Recordings::OfCase::load(const std::string& name,
                                                                 const std::vector<uint8_t>& bytes) {
  INLAY_TRY(auto counted, all_.find(name, bytes));
  auto recorder = counted->recorder();
  auto module = counted->module(recorder);
  modules_.emplace_back(std::move(counted), std::move(recorder));
  return module;
}

CallCounts Recordings::OfCase::finish() {
  CallCounts counts;
  for (const auto& [module, recorder] : modules_) {
    module->add(*recorder);
    counts.of_guests = std::accumulate(recorder->exports.begin(), recorder->exports.end(), counts.of_guests);
    counts.of_host = std::accumulate(recorder->imports.begin(), recorder->imports.end(), counts.of_host);
    counts.in_guests += recorder->in_guest;
    counts.in_host += recorder->in_host;
  }
  modules_.clear();
  return counts;
}

}  // namespace inlay::tester
