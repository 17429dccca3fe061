// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <string>

#include "base/temporary_directory.h"
#include "compiler/compiler.h"
#include "compiler/wat.h"
#include "engine/engine.h"

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

compiler::LoadOptions options(EngineKind kind) {
  static const TemporaryDirectory cache("inlay-bench-");
  compiler::LoadOptions options;
  options.kind = kind;
  options.cache_dir = cache.path();
  return options;
}

std::shared_ptr<Module> module(EngineKind kind) {
  return *compiler::load_module(*compiler::wat_to_wasm(kModule), options(kind));
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

void both(benchmark::internal::Benchmark* b) {
  b->ArgName("kind")->Arg(static_cast<int>(EngineKind::kAot))->Arg(static_cast<int>(EngineKind::kInterp));
}
BENCHMARK(guest_calls_host)->Apply(both);
BENCHMARK(host_calls_empty_guest)->Apply(both);
BENCHMARK(host_calls_add)->Apply(both);
BENCHMARK(create_instance)->Apply(both);

}  // namespace
}  // namespace inlay::engine
