// SPDX-License-Identifier: Apache-2.0
#pragma once

// GuestMetrics is one VM's numbering of metrics: the low two bits of an id are its type, each type counts up in fours,
// as Envoy numbers them. The metrics themselves stand in the process's MetricStore as "wasmcustom.<name>".

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "abi/types.h"
#include "host/metrics.h"

namespace inlay::host {

class GuestMetrics {
 public:
  static constexpr size_t kMaxNameSize = 1024;

  explicit GuestMetrics(MetricStore& store) : store_(store) {}

  // A new id for one metric a name and type, as in Envoy. kBadArgument: unknown type, or the name is too long.
  // kInternalFailure: too many metrics, or too many ids of a type.
  abi::Status define(uint32_t type, std::string_view name, uint32_t& id);
  abi::Status increment(uint32_t id, int64_t delta);
  abi::Status record(uint32_t id, uint64_t value);
  abi::Status get(uint32_t id, uint64_t& value) const;

 private:
  MetricStore::Metric* find(uint32_t id) const;

  MetricStore& store_;
  std::array<std::vector<MetricStore::Metric*>, 3> by_type_;
};

}  // namespace inlay::host
