// SPDX-License-Identifier: Apache-2.0
#include "stats/histogram_bins.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace inlay::stats {
namespace {

constexpr auto kPowers = [] {
  std::array<uint64_t, 20> powers{};
  uint64_t power = 1;
  for (uint64_t& p : powers) {
    p = power;
    power *= 10;
  }
  return powers;
}();

// floor(log10(value)) of a value that is not 0.
size_t decade_of(uint64_t value) {
  size_t decade = 0;
  while (decade + 1 < kPowers.size() && value >= kPowers[decade + 1]) ++decade;
  return decade;
}

}  // namespace

double quantile_of(const std::vector<HistogramBin>& bins, double quantile) {
  uint64_t total = 0;
  for (const HistogramBin& bin : bins) total += bin.count;
  if (total == 0) return std::numeric_limits<double>::quiet_NaN();
  // As Envoy since 1.39: that of a value, and the values of a bin lie in it at equal distances.
  const auto rank = std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(quantile * static_cast<double>(total))));
  uint64_t below = 0;
  for (const HistogramBin& bin : bins) {
    if (below + bin.count >= rank)
      return bin.lower + bin.width * static_cast<double>(rank - below) / static_cast<double>(bin.count + 1);
    below += bin.count;
  }
  return bins.back().lower + bins.back().width;
}

HistogramBins::HistogramBins(size_t cells, BinBudget& budget)
    : cells_(cells), budget_(budget), decades_(new std::atomic<Count*>[cells * (kDecades + 1)]()) {}

HistogramBins::~HistogramBins() {
  for (size_t i = 0; i < cells_ * (kDecades + 1); ++i) delete[] decades_[i].load(std::memory_order_relaxed);
}

HistogramBins::Count* HistogramBins::decade(size_t cell, size_t index) {
  std::atomic<Count*>& slot = decades_[cell * (kDecades + 1) + index];
  if (Count* bins = slot.load(std::memory_order_acquire)) return bins;
  const size_t count = index < kDecades ? kBinsInDecade : 1;
  const size_t bytes = count * sizeof(Count);
  if (budget_.used.fetch_add(bytes, std::memory_order_relaxed) + bytes > BinBudget::kBytes) {
    budget_.used.fetch_sub(bytes, std::memory_order_relaxed);
    return nullptr;
  }
  auto* made = new Count[count]();
  Count* there = nullptr;
  if (slot.compare_exchange_strong(there, made, std::memory_order_acq_rel)) return made;
  delete[] made;
  budget_.used.fetch_sub(bytes, std::memory_order_relaxed);
  return there;
}

void HistogramBins::add(uint64_t value, size_t cell, bool shared) {
  const size_t d = value == 0 ? kDecades : decade_of(value);
  Count* bins = decade(cell, d);
  if (bins == nullptr) return;
  size_t bin = 0;
  if (value != 0) bin = (d == 0 ? value * 10 : value / kPowers[d - 1]) - 10;
  if (shared)
    bins[bin].fetch_add(1, std::memory_order_relaxed);
  else
    bins[bin].store(bins[bin].load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void HistogramBins::read(std::vector<HistogramBin>& out) const {
  out.clear();
  const auto sum = [&](size_t d, size_t bin) {
    uint64_t total = 0;
    for (size_t cell = 0; cell < cells_; ++cell) {
      const Count* bins = decades_[cell * (kDecades + 1) + d].load(std::memory_order_acquire);
      if (bins != nullptr) total += bins[bin].load(std::memory_order_relaxed);
    }
    return total;
  };
  if (const uint64_t zeros = sum(kDecades, 0)) out.push_back({0, 0, zeros});
  for (size_t d = 0; d < kDecades; ++d) {
    const double width = static_cast<double>(kPowers[d]) / 10;
    for (size_t bin = 0; bin < kBinsInDecade; ++bin)
      if (const uint64_t count = sum(d, bin)) out.push_back({static_cast<double>(bin + 10) * width, width, count});
  }
}

}  // namespace inlay::stats
