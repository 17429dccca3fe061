// SPDX-License-Identifier: Apache-2.0
#include "host/guest_metrics.h"

namespace inlay::host {

using abi::MetricType;
using abi::Status;

MetricStore::Metric* GuestMetrics::find(uint32_t id) const {
  const uint32_t type = id & 3;
  const uint32_t index = id >> 2;
  if (type >= by_type_.size() || index == 0 || index > by_type_[type].size()) return nullptr;
  return by_type_[type][index - 1];
}

Status GuestMetrics::define(uint32_t type, std::string_view name, uint32_t& id) {
  if (type >= by_type_.size() || name.empty() || name.size() > kMaxNameSize) return Status::kBadArgument;
  if (auto known = ids_[type].find(name); known != ids_[type].end()) {
    id = known->second;
    return Status::kOk;
  }
  auto full = std::string("wasmcustom.").append(name);
  MetricStore::Metric* metric = store_.define(static_cast<MetricType>(type), full);
  if (metric == nullptr) return Status::kInternalFailure;
  by_type_[type].push_back(metric);
  id = static_cast<uint32_t>(by_type_[type].size() << 2) | type;
  ids_[type].emplace(name, id);
  return Status::kOk;
}

Status GuestMetrics::increment(uint32_t id, int64_t delta) {
  MetricStore::Metric* metric = find(id);
  if (metric == nullptr) return Status::kNotFound;
  const MetricType type = MetricStore::type(*metric);
  if (type == MetricType::kHistogram || (type == MetricType::kCounter && delta <= 0)) return Status::kBadArgument;
  MetricStore::increment(*metric, delta);
  return Status::kOk;
}

// As in Envoy, recording a counter adds to it.
Status GuestMetrics::record(uint32_t id, uint64_t value) {
  MetricStore::Metric* metric = find(id);
  if (metric == nullptr) return Status::kNotFound;
  if (MetricStore::type(*metric) == MetricType::kCounter)
    MetricStore::increment(*metric, static_cast<int64_t>(value));
  else
    MetricStore::record(*metric, value);
  return Status::kOk;
}

Status GuestMetrics::get(uint32_t id, uint64_t& value) const {
  const MetricStore::Metric* metric = find(id);
  if (metric == nullptr) return Status::kNotFound;
  if (MetricStore::type(*metric) == MetricType::kHistogram) return Status::kBadArgument;
  value = static_cast<uint64_t>(MetricStore::value(*metric));
  return Status::kOk;
}

}  // namespace inlay::host
