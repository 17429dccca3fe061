// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <future>
#include <string>

#include "base/temporary_directory.h"
#include "compiler/compiler.h"
#include "compiler/large_module.h"
#include "compiler/wat.h"

namespace inlay::compiler {
namespace {

using namespace engine;

constexpr std::string_view kModule = R"((module
  (memory (export "memory") 1)
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))))";

LoadOptions options(EngineKind kind) {
  static const TemporaryDirectory cache("inlay-bench-");
  LoadOptions options;
  options.kind = kind;
  options.cache_dir = cache.path();
  return options;
}

EngineKind kind_of(const benchmark::State& state) {
  return static_cast<EngineKind>(state.range(0));
}

// Reading, validating, finding and checking the artifact, dlopen.
void load_from_cache(benchmark::State& state) {
  const auto bytes = *wat_to_wasm(kModule);
  const auto keep = load_module(bytes, options(kind_of(state)));
  for (auto _ : state) benchmark::DoNotOptimize(load_module(bytes, options(kind_of(state))));
}

// A module of 160 KB, and one of 2.7 MB.
constexpr int kSmall = 480;
constexpr int kLarge = 8000;

LoadOptions in_new_cache() {
  LoadOptions fresh = options(EngineKind::kAuto);
  static int count = 0;
  fresh.cache_dir += "/cold" + std::to_string(count++);
  return fresh;
}

std::vector<uint8_t> large(benchmark::State& state) {
  auto bytes = *wat_to_wasm(large_module(static_cast<int>(state.range(0))));
  state.counters["module_bytes"] = static_cast<double>(bytes.size());
  return bytes;
}

// From the module's bytes to an instance that can be called, with an empty cache. Optimised code is not waited for.
void cold_start(benchmark::State& state) {
  const auto bytes = large(state);
  for (auto _ : state) {
    auto loaded = load_module(bytes, in_new_cache());
    benchmark::DoNotOptimize(Instance::create(*loaded, {}, nullptr, {}));
    state.PauseTiming();
    loaded = Error{};
    state.ResumeTiming();
  }
}

// The same where the cache has an artifact.
void warm_start(benchmark::State& state) {
  const auto bytes = large(state);
  LoadOptions cached = in_new_cache();
  cached.kind = EngineKind::kAot;
  cached.optimization = 0;
  if (const auto cold = load_module(bytes, cached); !cold) return state.SkipWithError(cold.error().message.c_str());
  for (auto _ : state) {
    auto loaded = load_module(bytes, cached);
    benchmark::DoNotOptimize(Instance::create(*loaded, {}, nullptr, {}));
  }
}

// Until the optimised code is in use.
void cold_start_to_optimized(benchmark::State& state) {
  const auto bytes = large(state);
  for (auto _ : state) {
    std::promise<void> optimized;
    LoadOptions fresh = in_new_cache();
    fresh.on_tier = [&](const TierEvent& event) {
      if (event.tier == Tier::kOptimized) optimized.set_value();
    };
    const auto loaded = load_module(bytes, fresh);
    optimized.get_future().wait();
  }
}

void both(benchmark::internal::Benchmark* b) {
  b->ArgName("kind")->Arg(static_cast<int>(EngineKind::kAot))->Arg(static_cast<int>(EngineKind::kInterp));
}
BENCHMARK(load_from_cache)->Apply(both);
BENCHMARK(cold_start)->Arg(kSmall)->Arg(kLarge)->Iterations(1)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(warm_start)->Arg(kSmall)->Arg(kLarge)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(cold_start_to_optimized)->Arg(kSmall)->Iterations(1)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace inlay::compiler
