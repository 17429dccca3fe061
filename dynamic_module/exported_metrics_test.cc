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
  store.define(MetricType::kHistogram, "wasmcustom.sizes");
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
}

TEST(ExportedMetrics, OfAGuestWithoutAnyThereIsNothingToTell) {
  MetricStore store;
  envoy::FilterConfig config;
  EXPECT_FALSE(ExportedMetrics(&config, store).any());
}

}  // namespace
}  // namespace inlay::dynamic_module
