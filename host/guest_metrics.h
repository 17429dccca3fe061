// SPDX-License-Identifier: Apache-2.0
#pragma once

// GuestMetrics is one VM's numbering of metrics: the low two bits of an id are its type, each type counts up in fours,
// as Envoy numbers them. The metrics themselves stand in the process's MetricStore as "wasmcustom.<name>".

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "abi/types.h"
#include "stats/metrics.h"

namespace inlay::host {

class GuestMetrics {
 public:
  static constexpr size_t kMaxNameSize = 1024;

  explicit GuestMetrics(stats::MetricStore& store) : store_(store) {}

  // A new id for one metric a name and type, as in Envoy; once a type has all the ids that it may have, one that the
  // metric has already. kBadArgument: unknown type, or the name is too long. kInternalFailure: too many metrics.
  abi::Status define(uint32_t type, std::string_view name, uint32_t& id);
  abi::Status increment(uint32_t id, int64_t delta);
  abi::Status record(uint32_t id, uint64_t value);
  abi::Status get(uint32_t id, uint64_t& value) const;

 private:
  static constexpr size_t kTypes = 3;

  stats::MetricStore::Metric* find(uint32_t id) const;
  // Where a type has no ids left.
  abi::Status find_id(uint32_t type, std::string_view full_name, uint32_t& id);

  stats::MetricStore& store_;
  std::array<std::vector<stats::MetricStore::Metric*>, kTypes> by_type_;
  std::array<std::unordered_map<const stats::MetricStore::Metric*, uint32_t>, kTypes> ids_;  // made by find_id()
};

}  // namespace inlay::host
