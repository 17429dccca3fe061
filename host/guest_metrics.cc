// SPDX-License-Identifier: Apache-2.0
#include "host/guest_metrics.h"

namespace inlay::host {

using abi::MetricType;
using abi::Status;

namespace {

constexpr uint32_t kTypeMask = 3;

bool is_counter(uint32_t id) {
  return (id & kTypeMask) == static_cast<uint32_t>(MetricType::kCounter);
}
bool is_gauge(uint32_t id) {
  return (id & kTypeMask) == static_cast<uint32_t>(MetricType::kGauge);
}
// Of the `count`-th of a type, counted from 1.
uint32_t id_of(size_t count, uint32_t type) {
  return static_cast<uint32_t>(count << 2) | type;
}

}  // namespace

stats::MetricStore::Metric* GuestMetrics::find(uint32_t id) const {
  const uint32_t type = id & kTypeMask;
  const uint32_t index = id >> 2;
  if (type >= by_type_.size() || index == 0 || index > by_type_[type].size()) return nullptr;
  return by_type_[type][index - 1];
}

Status GuestMetrics::define(uint32_t type, std::string_view name, uint32_t& id) {
  if (type >= by_type_.size() || name.size() > kMaxNameSize) return Status::kBadArgument;
  const std::string full = name.empty() ? "wasmcustom" : std::string("wasmcustom.").append(name);
  if (by_type_[type].size() >= stats::MetricStore::kMaxMetrics) return find_id(type, full, id);
  stats::MetricStore::Metric* metric = store_.define(static_cast<MetricType>(type), full);
  if (metric == nullptr) return Status::kInternalFailure;
  by_type_[type].push_back(metric);
  id = id_of(by_type_[type].size(), type);
  return Status::kOk;
}

Status GuestMetrics::find_id(uint32_t type, std::string_view full_name, uint32_t& id) {
  const auto& metrics = by_type_[type];
  auto& ids = ids_[type];
  if (ids.empty()) {
    for (size_t i = 0; i < metrics.size(); ++i) ids.emplace(metrics[i], id_of(i + 1, type));
  }
  const auto found = ids.find(store_.find(static_cast<MetricType>(type), full_name));
  if (found == ids.end()) return Status::kInternalFailure;
  id = found->second;
  return Status::kOk;
}

// An id says its metric's type, so that the wrong type is told from an unknown id even where there is no such metric.
Status GuestMetrics::increment(uint32_t id, int64_t delta) {
  if (!is_counter(id) && !is_gauge(id)) return Status::kBadArgument;
  stats::MetricStore::Metric* metric = find(id);
  if (metric == nullptr) return Status::kNotFound;
  if (is_counter(id) && delta <= 0) return Status::kBadArgument;
  stats::MetricStore::increment(*metric, delta);
  return Status::kOk;
}

// As in Envoy, recording a counter adds to it.
Status GuestMetrics::record(uint32_t id, uint64_t value) {
  stats::MetricStore::Metric* metric = find(id);
  if (metric == nullptr) return Status::kNotFound;
  if (is_counter(id))
    stats::MetricStore::increment(*metric, static_cast<int64_t>(value));
  else
    stats::MetricStore::record(*metric, value);
  return Status::kOk;
}

Status GuestMetrics::get(uint32_t id, uint64_t& value) const {
  if (!is_counter(id) && !is_gauge(id)) return Status::kBadArgument;
  const stats::MetricStore::Metric* metric = find(id);
  if (metric == nullptr) return Status::kNotFound;
  value = static_cast<uint64_t>(stats::MetricStore::value(*metric));
  return Status::kOk;
}

}  // namespace inlay::host
