// SPDX-License-Identifier: Apache-2.0
#include "stats/histogram_bins.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

namespace inlay::stats {
namespace {

std::vector<HistogramBin> bins_of(std::initializer_list<uint64_t> values) {
  BinBudget budget;
  HistogramBins bins(1, budget);
  for (const uint64_t v : values) bins.add(v, 0, true);
  std::vector<HistogramBin> out;
  bins.read(out);
  return out;
}

TEST(HistogramBins, HaveTwoSignificantDigits) {
  const auto bins = bins_of({0, 1, 9, 10, 99, 100, 109, 110, 12345, UINT64_MAX});
  const double wanted[][3] = {{0, 0, 1},    {1, 0.1, 1},  {9, 0.1, 1},        {10, 1, 1},       {99, 1, 1},
                              {100, 10, 2}, {110, 10, 1}, {12'000, 1'000, 1}, {1.8e19, 1e18, 1}};
  ASSERT_EQ(bins.size(), std::size(wanted));
  for (size_t i = 0; i < bins.size(); ++i) {
    EXPECT_DOUBLE_EQ(bins[i].lower, wanted[i][0]);
    EXPECT_DOUBLE_EQ(bins[i].width, wanted[i][1]);
    EXPECT_EQ(bins[i].count, static_cast<uint64_t>(wanted[i][2]));
  }
}

// As Envoy prints histograms that have seen these values.
TEST(HistogramBins, ValuesLieInTheirBinAtEqualDistances) {
  const auto one = bins_of({7});
  for (const double q : {0.0, 0.25, 0.5, 1.0}) EXPECT_DOUBLE_EQ(quantile_of(one, q), 7.05);
  const auto three_of_a_bin = bins_of({7, 7, 7, 20});
  EXPECT_DOUBLE_EQ(quantile_of(three_of_a_bin, 0), 7.025);
  EXPECT_DOUBLE_EQ(quantile_of(three_of_a_bin, 0.25), 7.025);
  EXPECT_DOUBLE_EQ(quantile_of(three_of_a_bin, 0.5), 7.05);
  EXPECT_DOUBLE_EQ(quantile_of(three_of_a_bin, 0.75), 7.075);
  EXPECT_DOUBLE_EQ(quantile_of(three_of_a_bin, 0.9), 20.5);
  const auto far_apart = bins_of({7, 200, 3000});
  EXPECT_DOUBLE_EQ(quantile_of(far_apart, 0.25), 7.05);
  EXPECT_DOUBLE_EQ(quantile_of(far_apart, 0.5), 205);
  EXPECT_DOUBLE_EQ(quantile_of(far_apart, 0.75), 3050);
  EXPECT_TRUE(std::isnan(quantile_of({}, 0.5)));
}

TEST(HistogramBins, ThreadsCountTogether) {
  BinBudget budget;
  HistogramBins bins(3, budget);
  const auto work = [&](size_t cell, bool shared) {
    for (uint64_t i = 0; i < 10'000; ++i) bins.add(i % 100, cell, shared);
  };
  std::thread a(work, 1, false), b(work, 2, false), c(work, 0, true), d(work, 0, true);
  for (auto* t : {&a, &b, &c, &d}) t->join();
  std::vector<HistogramBin> out;
  bins.read(out);
  uint64_t total = 0;
  for (const auto& bin : out) total += bin.count;
  EXPECT_EQ(total, 40'000u);
  EXPECT_EQ(out.size(), 100u);
}

TEST(HistogramBins, TheBudgetBoundsThem) {
  BinBudget budget;
  budget.used = BinBudget::kBytes - 1000;
  HistogramBins bins(1, budget);
  for (uint64_t v = 1; v < 1'000'000'000; v *= 10) bins.add(v, 0, true);
  std::vector<HistogramBin> out;
  bins.read(out);
  EXPECT_EQ(out.size(), 1u) << "one decade found room";
  EXPECT_LE(budget.used.load(), BinBudget::kBytes);
}

}  // namespace
}  // namespace inlay::stats
