// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/exported_metrics.h"

#include <gmock/gmock.h>

#include "dynamic_module/fake_envoy_fixture.h"

namespace inlay::dynamic_module {
namespace {

using abi::MetricType;
using stats::MetricStore;
using testing::ElementsAre;
using testing::Pair;

TEST(ExportedMetrics, TellsEnvoyWhatGuestsHaveCountedSinceTheLastTime) {
  MetricStore store;
  auto* const hits = store.define(MetricType::kCounter, "wasmcustom.hits");
  auto* const level = store.define(MetricType::kGauge, "wasmcustom.level");
  store.define(MetricType::kCounter, "wasm.mine");
  MetricStore::increment(*hits, 2);
  MetricStore::record(*level, 7);

  envoy::FilterConfig one;
  envoy::FilterConfig other;
  ExportedMetrics of_one(&one, store);
  ExportedMetrics of_other(&other, store);
  of_one.tell();
  EXPECT_THAT(one.statistics, ElementsAre(Pair("hits", 2), Pair("level", 7)));
  MetricStore::increment(*hits, 3);
  of_one.tell();
  of_other.tell();  // nothing is counted twice
  EXPECT_THAT(one.statistics, ElementsAre(Pair("hits", 5), Pair("level", 7)));
  EXPECT_THAT(other.statistics, ElementsAre(Pair("hits", 0), Pair("level", 7)));

  store.define(MetricType::kCounter, "wasmcustom.late");
  of_one.tell();
  EXPECT_EQ(one.statistics.size(), 2u);
  envoy::FilterConfig next;
  ExportedMetrics(&next, store).tell();  // has it
  EXPECT_EQ(next.statistics.size(), 3u);
}

TEST(ExportedMetrics, TellsEnvoyOfEachValueOfAHistogramOnce) {
  MetricStore store;
  auto* const sizes = store.define(MetricType::kHistogram, "wasmcustom.sizes");
  for (const uint64_t value : {0, 7, 7, 123}) MetricStore::record(*sizes, value);
  envoy::FilterConfig config;
  ExportedMetrics metrics(&config, store);
  metrics.tell();
  EXPECT_THAT(config.recorded, ElementsAre(0, 7, 7, 120));  // to two digits
  MetricStore::record(*sizes, 7);
  metrics.tell();
  metrics.tell();
  EXPECT_THAT(config.recorded, ElementsAre(0, 7, 7, 120, 7));
}

TEST(ExportedMetrics, MoreValuesThanAreToldAtATimeWait) {
  MetricStore store;
  auto* const sizes = store.define(MetricType::kHistogram, "wasmcustom.more");
  for (uint64_t i = 0; i < ExportedMetrics::kMostValues + 1; ++i) MetricStore::record(*sizes, 1);
  envoy::FilterConfig config;
  ExportedMetrics metrics(&config, store);
  metrics.tell();
  EXPECT_EQ(config.recorded.size(), ExportedMetrics::kMostValues);
  metrics.tell();
  EXPECT_EQ(config.recorded.size(), ExportedMetrics::kMostValues + 1);
}

}  // namespace
}  // namespace inlay::dynamic_module
