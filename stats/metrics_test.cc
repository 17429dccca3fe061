// SPDX-License-Identifier: Apache-2.0
#include "stats/metrics.h"

#include <gtest/gtest.h>

#include <thread>

namespace inlay::stats {
namespace {

using abi::MetricType;

TEST(MetricStore, TheSameNameIsTheSameMetric) {
  MetricStore store;
  auto* a = store.define(MetricType::kCounter, "a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(store.define(MetricType::kCounter, "a"), a);
  auto* gauge = store.define(MetricType::kGauge, "a");
  ASSERT_NE(gauge, nullptr);
  EXPECT_NE(gauge, a) << "a counter and a gauge may have one name";
  EXPECT_EQ(store.define(MetricType::kGauge, "a"), gauge);
  EXPECT_NE(store.define(MetricType::kCounter, "b"), a);
  EXPECT_EQ(MetricStore::type(*a), MetricType::kCounter);
}

TEST(MetricStore, SumsWhatAllThreadsAdd) {
  MetricStore store(3);
  auto* counter = store.define(MetricType::kCounter, "c");
  auto* gauge = store.define(MetricType::kGauge, "g");
  auto work = [&](size_t cell) {
    MetricStore::set_thread_cell(cell);
    for (int i = 0; i < 10'000; ++i) {
      MetricStore::increment(*counter, 1);
      MetricStore::increment(*gauge, i % 2 ? -1 : 2);
    }
  };
  std::thread a(work, 1);
  std::thread b(work, 2);
  std::thread c(work, 0);
  std::thread d(work, 7);  // no such cell: shares cell 0
  for (auto* t : {&a, &b, &c, &d}) t->join();
  EXPECT_EQ(MetricStore::value(*counter), 40'000);
  EXPECT_EQ(MetricStore::value(*gauge), 20'000);
}

TEST(MetricStore, SettingAGaugeCountsForAllCells) {
  MetricStore store(2);
  auto* gauge = store.define(MetricType::kGauge, "g");
  std::thread([&] {
    MetricStore::set_thread_cell(1);
    MetricStore::increment(*gauge, 5);
  }).join();
  MetricStore::record(*gauge, 100);
  EXPECT_EQ(MetricStore::value(*gauge), 100);
  std::thread([&] {
    MetricStore::set_thread_cell(1);
    MetricStore::record(*gauge, 7);
  }).join();
  EXPECT_EQ(MetricStore::value(*gauge), 7);
}

TEST(MetricStore, HistogramsCountIntoBuckets) {
  MetricStore store;
  auto* h = store.define(MetricType::kHistogram, "h");
  for (uint64_t v : {0ull, 1ull, 7ull, 3'600'000ull, ~0ull >> 1}) MetricStore::record(*h, v);
  MetricStore::increment(*h, 3);  // means nothing
  bool seen = false;
  store.for_each([&](const MetricView& view) {
    ASSERT_NE(view.histogram, nullptr);
    EXPECT_EQ(view.histogram->count, 5u);
    EXPECT_EQ(view.histogram->buckets[0], 1u);      // 0.5
    EXPECT_EQ(view.histogram->buckets[1], 2u);      // 1
    EXPECT_EQ(view.histogram->buckets[2], 2u);      // 5
    EXPECT_EQ(view.histogram->buckets[3], 3u);      // 10
    EXPECT_EQ(view.histogram->buckets.back(), 4u);  // 3600000
    seen = true;
  });
  EXPECT_TRUE(seen);
}

TEST(MetricStore, ListsByNameAndTellsUsed) {
  MetricStore store;
  Counter b(store.define(MetricType::kCounter, "b"));
  Gauge a(store.define(MetricType::kGauge, "a"));
  b.add(3);
  std::string text;
  store.for_each([&](const MetricView& v) {
    text += std::string(v.name) + ":" + std::to_string(v.value) + (v.used ? "! " : " ");
  });
  EXPECT_EQ(text, "a:0 b:3! ");
  a.set(4);
  a.sub();
  EXPECT_EQ(a.value(), 3);
}

TEST(MetricStore, ResetTouchesCountersOnly) {
  MetricStore store;
  Counter c(store.define(MetricType::kCounter, "c"));
  Gauge g(store.define(MetricType::kGauge, "g"));
  c.add(3);
  g.set(9);
  store.reset_counters();
  EXPECT_EQ(c.value(), 0);
  EXPECT_EQ(g.value(), 9);
  c.add(2);
  EXPECT_EQ(c.value(), 2);
}

TEST(MetricStore, HoldsManyMetrics) {
  MetricStore store(2);
  for (int i = 0; i < 2000; ++i) {
    auto* m = store.define(i % 3 ? MetricType::kCounter : MetricType::kHistogram, "m" + std::to_string(i));
    ASSERT_NE(m, nullptr);
    MetricStore::record(*m, static_cast<uint64_t>(i));
  }
  EXPECT_EQ(MetricStore::value(*store.define(MetricType::kCounter, "m1999")), 1999);
}

}  // namespace
}  // namespace inlay::stats
