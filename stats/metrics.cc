// SPDX-License-Identifier: Apache-2.0
#include "stats/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <mutex>

namespace inlay::stats {
namespace {

constexpr std::array<double, 19> kBounds = {0.5,  1,    5,     10,    25,    50,     100,    250,     500,    1000,
                                            2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000};
// A histogram's slots: count, sum, one for each bucket (not cumulative).
constexpr size_t kHistogramSlots = 2 + kBounds.size();
constexpr size_t kSlabSlots = 512;
constexpr size_t kCacheLine = 64;
constexpr size_t kTypes = 3;

using Slot = std::atomic<int64_t>;

thread_local size_t thread_cell = 0;

}  // namespace

// The slots of one metric, a copy for each cell, `kSlabSlots` apart: a cell's slots of many metrics stand together, so
// that cells share no cache line and a metric costs 8 bytes a cell.
struct MetricStore::Metric {
  abi::MetricType type;
  size_t cells;
  Slot* slots;
  std::atomic<int64_t> reset{0};  // a counter's sum when it was last reset
  std::atomic<bool> used{false};
  std::unique_ptr<HistogramBins> bins{};  // histograms

  int64_t sum(size_t slot = 0) const {
    int64_t total = 0;
    for (size_t cell = 0; cell < cells; ++cell) {
      total =
          static_cast<int64_t>(static_cast<uint64_t>(total) +
                               static_cast<uint64_t>(slots[cell * kSlabSlots + slot].load(std::memory_order_relaxed)));
    }
    return total;
  }
  void add(size_t slot, int64_t delta) {
    const size_t cell = thread_cell;
    if (cell == 0 || cell >= cells) {
      slots[slot].fetch_add(delta, std::memory_order_relaxed);
      return;
    }
    Slot& mine = slots[cell * kSlabSlots + slot];
    const auto sum = static_cast<uint64_t>(mine.load(std::memory_order_relaxed)) + static_cast<uint64_t>(delta);
    mine.store(static_cast<int64_t>(sum), std::memory_order_relaxed);
  }
  void mark_used() {
    if (!used.load(std::memory_order_relaxed)) used.store(true, std::memory_order_relaxed);
  }
};

struct MetricStore::Impl {
  explicit Impl(size_t cell_count) : cells(std::max<size_t>(cell_count, 1)) {}

  struct alignas(kCacheLine) Line {
    std::array<Slot, kCacheLine / sizeof(Slot)> slots{};
  };
  using Slab = std::unique_ptr<Line[]>;

  Slot* allocate(size_t count) {
    if (slabs.empty() || slab_used + count > kSlabSlots) {
      slabs.push_back(std::make_unique<Line[]>(cells * kSlabSlots * sizeof(Slot) / sizeof(Line)));
      slab_used = 0;
    }
    Slot* result = slabs.back()[0].slots.data() + slab_used;
    slab_used += count;
    return result;
  }

  const size_t cells;
  BinBudget bin_budget;
  mutable std::mutex mutex;
  std::vector<Slab> slabs;
  size_t slab_used = 0;
  size_t metrics = 0;
  std::map<std::string, std::array<std::unique_ptr<Metric>, kTypes>, std::less<>> by_name;
};

namespace {

void read_histogram(const MetricStore::Metric& metric, HistogramData& out) {
  out.count = static_cast<uint64_t>(metric.sum(0));
  out.sum = static_cast<uint64_t>(metric.sum(1));
  out.buckets.clear();
  uint64_t cumulative = 0;
  for (size_t i = 0; i < kBounds.size(); ++i)
    out.buckets.push_back(cumulative += static_cast<uint64_t>(metric.sum(2 + i)));
  metric.bins->read(out.bins);
}

}  // namespace

MetricStore::MetricStore(size_t cells) : impl_(std::make_unique<Impl>(cells)) {}
MetricStore::~MetricStore() = default;

void MetricStore::set_thread_cell(size_t cell) {
  thread_cell = cell;
}

MetricStore::Metric* MetricStore::define(abi::MetricType type, std::string_view name) {
  const std::lock_guard lock(impl_->mutex);
  const auto i = static_cast<size_t>(type);
  auto found = impl_->by_name.find(name);
  if (found != impl_->by_name.end() && found->second[i]) return found->second[i].get();
  if (impl_->metrics >= kMaxMetrics) return nullptr;
  ++impl_->metrics;
  if (found == impl_->by_name.end()) found = impl_->by_name.try_emplace(std::string(name)).first;
  Slot* slots = impl_->allocate(type == abi::MetricType::kHistogram ? kHistogramSlots : 1);
  auto metric = std::unique_ptr<Metric>(new Metric{type, impl_->cells, slots, 0, false});
  if (type == abi::MetricType::kHistogram)
    metric->bins = std::make_unique<HistogramBins>(impl_->cells, impl_->bin_budget);
  return (found->second[i] = std::move(metric)).get();
}

MetricStore::Metric* MetricStore::find(abi::MetricType type, std::string_view name) const {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->by_name.find(name);
  return found == impl_->by_name.end() ? nullptr : found->second[static_cast<size_t>(type)].get();
}

std::vector<HistogramBin> MetricStore::bins(const Metric& metric) {
  std::vector<HistogramBin> counted;
  if (metric.bins) metric.bins->read(counted);
  return counted;
}

size_t MetricStore::size() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->metrics;
}

void MetricStore::increment(Metric& metric, int64_t delta) {
  if (metric.type == abi::MetricType::kHistogram) return;
  metric.add(0, delta);
  metric.mark_used();
}

void MetricStore::record(Metric& metric, uint64_t value) {
  metric.mark_used();
  const auto number = static_cast<int64_t>(value);
  if (metric.type == abi::MetricType::kHistogram) {
    metric.add(0, 1);
    metric.add(1, number);
    const auto* bound = std::lower_bound(kBounds.begin(), kBounds.end(), static_cast<double>(value));
    if (bound != kBounds.end()) metric.add(2 + static_cast<size_t>(bound - kBounds.begin()), 1);
    const size_t cell = thread_cell < metric.cells ? thread_cell : 0;
    metric.bins->add(value, cell, cell == 0);
    return;
  }
  // The value is the sum of the cells: what the others hold is taken off cell 0's share.
  const auto others = static_cast<uint64_t>(metric.sum()) -
                      static_cast<uint64_t>(metric.slots[0].load(std::memory_order_relaxed)) -
                      static_cast<uint64_t>(metric.reset.load(std::memory_order_relaxed));
  metric.slots[0].store(static_cast<int64_t>(value - others), std::memory_order_relaxed);
}

int64_t MetricStore::value(const Metric& metric) {
  return static_cast<int64_t>(static_cast<uint64_t>(metric.sum()) -
                              static_cast<uint64_t>(metric.reset.load(std::memory_order_relaxed)));
}

abi::MetricType MetricStore::type(const Metric& metric) {
  return metric.type;
}

void MetricStore::for_each(const std::function<void(const MetricView&)>& visit) const {
  const std::lock_guard lock(impl_->mutex);
  HistogramData histogram;
  for (const auto& [name, of_types] : impl_->by_name) {
    for (const auto& metric : of_types) {
      if (!metric) continue;
      MetricView view{name, metric->type, 0, nullptr, metric->used.load(std::memory_order_relaxed)};
      if (metric->type == abi::MetricType::kHistogram) {
        read_histogram(*metric, histogram);
        view.histogram = &histogram;
      } else {
        view.value = value(*metric);
      }
      visit(view);
    }
  }
}

void MetricStore::reset_counters() {
  constexpr auto kCounter = static_cast<size_t>(abi::MetricType::kCounter);
  const std::lock_guard lock(impl_->mutex);
  for (const auto& [name, of_types] : impl_->by_name)
    if (const auto& metric = of_types[kCounter]) metric->reset.store(metric->sum(), std::memory_order_relaxed);
}

}  // namespace inlay::stats
