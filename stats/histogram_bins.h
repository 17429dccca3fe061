// SPDX-License-Identifier: Apache-2.0
#pragma once

// The bins that a histogram's quantiles are read from: those of libcircllhist, which Envoy uses: two significant
// decimal digits, so 90 bins a decade, and one for 0. A quantile is exact to its bin and drawn on a straight line
// through it.
//
// Counting is wait-free: a thread adds to the cell that is its own (MetricStore::set_thread_cell). A decade's bins are
// allocated when the first value falls into them; when all histograms together have BinBudget's bytes, no more are, and
// values there are left out of the quantiles.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace inlay::stats {

struct HistogramBin {
  double lower = 0;
  double width = 0;
  uint64_t count = 0;
};

// The value below which `quantile` (0 to 1) of what `bins`, in ascending order, have counted lies; NaN if they are
// empty.
double quantile_of(const std::vector<HistogramBin>& bins, double quantile);

// BinBudget is shared by the histograms of a store.
struct BinBudget {
  static constexpr size_t kBytes = size_t{64} << 20;
  std::atomic<size_t> used{0};
};

class HistogramBins {
 public:
  HistogramBins(size_t cells, BinBudget& budget);
  ~HistogramBins();
  HistogramBins(const HistogramBins&) = delete;
  HistogramBins& operator=(const HistogramBins&) = delete;

  // Any thread; `shared` says that other threads use the cell too.
  void add(uint64_t value, size_t cell, bool shared);
  // The bins that have counted anything, in ascending order. Any thread.
  void read(std::vector<HistogramBin>& out) const;

 private:
  static constexpr size_t kDecades = 20;  // of 64-bit numbers
  static constexpr size_t kBinsInDecade = 90;
  using Count = std::atomic<uint64_t>;

  Count* decade(size_t cell, size_t index);

  const size_t cells_;
  BinBudget& budget_;
  std::unique_ptr<std::atomic<Count*>[]> decades_;  // kDecades + 1 a cell; the last holds the count of 0
};

}  // namespace inlay::stats
