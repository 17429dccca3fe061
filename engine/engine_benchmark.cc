// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <string>

#include "base/temporary_directory.h"
#include "engine/engine.h"
#include "engine/large_module.h"
#include "engine/wat.h"

namespace inlay::engine {
namespace {

constexpr std::string_view kModule = R"((module
  (import "env" "next" (func $next (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "empty"))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "loop") (param i32) (result i32) (local i32)
    (loop $l
      (local.set 1 (call $next (local.get 1)))
      (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1))))";

uint32_t next(void*, uint32_t x) {
  return x + 1;
}

const std::vector<HostFunction>& functions() {
  static const std::vector<HostFunction> table = {host_function<&next>("env", "next")};
  return table;
}

LoadOptions options(EngineKind kind) {
  static const TemporaryDirectory cache("inlay-bench-");
  LoadOptions options;
  options.kind = kind;
  options.cache_dir = cache.path();
  return options;
}

std::shared_ptr<Module> module(EngineKind kind) {
  return *Module::load(*wat_to_wasm(kModule), options(kind));
}

EngineKind kind_of(const benchmark::State& state) {
  return static_cast<EngineKind>(state.range(0));
}

void guest_calls_host(benchmark::State& state) {
  auto instance = *Instance::create(module(kind_of(state)), functions(), nullptr, {});
  const auto loop = *instance->function<uint32_t(uint32_t)>("loop");
  constexpr uint32_t kCalls = 1000;
  for (auto _ : state) benchmark::DoNotOptimize(*instance->call(loop, kCalls));
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * kCalls);
}

void host_calls_empty_guest(benchmark::State& state) {
  auto instance = *Instance::create(module(kind_of(state)), functions(), nullptr, {});
  const auto empty = *instance->function<void()>("empty");
  for (auto _ : state) benchmark::DoNotOptimize(instance->call(empty).has_value());
}

void host_calls_add(benchmark::State& state) {
  auto instance = *Instance::create(module(kind_of(state)), functions(), nullptr, {});
  const auto add = *instance->function<uint32_t(uint32_t, uint32_t)>("add");
  uint32_t x = 0;
  for (auto _ : state) benchmark::DoNotOptimize(x = *instance->call(add, x, 3u));
}

void create_instance(benchmark::State& state) {
  const auto loaded = module(kind_of(state));
  for (auto _ : state) benchmark::DoNotOptimize(Instance::create(loaded, functions(), nullptr, {}));
}

// Reading, validating, finding and checking the artifact, dlopen.
void load_from_cache(benchmark::State& state) {
  const auto bytes = *wat_to_wasm(kModule);
  const auto keep = Module::load(bytes, options(kind_of(state)));
  for (auto _ : state) benchmark::DoNotOptimize(Module::load(bytes, options(kind_of(state))));
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
    auto loaded = Module::load(bytes, in_new_cache());
    benchmark::DoNotOptimize(Instance::create(*loaded, functions(), nullptr, {}));
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
  if (const auto cold = Module::load(bytes, cached); !cold) return state.SkipWithError(cold.error().message.c_str());
  for (auto _ : state) {
    auto loaded = Module::load(bytes, cached);
    benchmark::DoNotOptimize(Instance::create(*loaded, functions(), nullptr, {}));
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
    const auto loaded = Module::load(bytes, fresh);
    optimized.get_future().wait();
  }
}

void both(benchmark::internal::Benchmark* b) {
  b->ArgName("kind")->Arg(static_cast<int>(EngineKind::kAot))->Arg(static_cast<int>(EngineKind::kInterp));
}
BENCHMARK(guest_calls_host)->Apply(both);
BENCHMARK(host_calls_empty_guest)->Apply(both);
BENCHMARK(host_calls_add)->Apply(both);
BENCHMARK(create_instance)->Apply(both);
BENCHMARK(load_from_cache)->Apply(both);
BENCHMARK(cold_start)->Arg(kSmall)->Arg(kLarge)->Iterations(1)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(warm_start)->Arg(kSmall)->Arg(kLarge)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(cold_start_to_optimized)->Arg(kSmall)->Iterations(1)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace inlay::engine
