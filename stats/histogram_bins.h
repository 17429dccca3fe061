// SPDX-License-Identifier: Apache-2.0
#pragma once

// The bins that a histogram's quantiles are read from. They are those of libcircllhist, which Envoy uses: two
// significant decimal digits, so 90 bins for each decade, and one for 0. A quantile is exact to its bin (10 % of the
// value at most); within the bin it is interpolated on a straight line.
//
// Counting takes no lock: a thread adds to the cell that is its own (MetricStore::set_thread_cell). A decade's bins,
// 720 bytes a cell, are allocated when the first value falls into them. When the histograms of a store have
// BinBudget::kBytes together, no more are: values of further decades are left out of the quantiles, and of nothing
// else.
//
//     double median(std::span<const uint64_t> values) {
//       BinBudget budget;
//       HistogramBins bins(1, budget);
//       for (const uint64_t value : values) bins.add(value, 0, true);
//       std::vector<HistogramBin> counted;
//       bins.read(counted);
//       return quantile_of(counted, 0.5);  // NaN if there was no value
//     }

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace inlay::stats {

// HistogramBin: how many values v there were with lower <= v < lower + width; width is 0 for the bin of 0.
struct HistogramBin {
  double lower = 0;
  double width = 0;
  uint64_t count = 0;
};

// The value that the part `quantile` (0 to 1) of what `bins`, in ascending order, have counted does not exceed,
// computed as Envoy does since 1.39; NaN if they have counted nothing.
double quantile_of(const std::vector<HistogramBin>& bins, double quantile);

// BinBudget counts the bytes of bins that the histograms of one store have; it outlives them. Any thread.
struct BinBudget {
  static constexpr size_t kBytes = size_t{64} << 20;
  std::atomic<size_t> used{0};
};

// HistogramBins are the bins of one histogram, freed with it.
class HistogramBins {
 public:
  // `cells`: as MetricStore's.
  HistogramBins(size_t cells, BinBudget& budget);
  ~HistogramBins();
  HistogramBins(const HistogramBins&) = delete;
  HistogramBins& operator=(const HistogramBins&) = delete;

  // add: counts a value in a cell below `cells`. Any thread; `shared` says that other threads use the cell too, so that
  // the addition has to be atomic.
  void add(uint64_t value, size_t cell, bool shared);
  // read: replaces `out` by the bins that have counted anything, in ascending order. Any thread, also while others add.
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
