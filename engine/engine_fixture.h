// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the engine's tests share: a host with a few functions, and a fixture that runs each test on both engines.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/temporary_directory.h"
#include "compiler/compiler.h"
#include "compiler/wat.h"
#include "engine/engine.h"

namespace inlay::engine {

struct TempDir : TemporaryDirectory {
  TempDir() : TemporaryDirectory("inlay-engine-") {}
};

// One cache for all tests of a run: most of them compile the same few modules.
inline const std::string& shared_cache() {
  static const TempDir directory;
  return directory.path();
}

inline std::vector<uint8_t> wasm(std::string_view text) {
  auto bytes = compiler::wat_to_wasm(text);
  EXPECT_TRUE(bytes) << bytes.error().to_string();
  return bytes ? *std::move(bytes) : std::vector<uint8_t>{};
}

// Env is what the host functions below work on.
struct Env {
  Instance* instance = nullptr;
  std::vector<std::string> log;
  std::function<uint32_t(uint32_t)> on_call;  // what env.call does
};

inline void host_log(Env* env, uint32_t a, uint64_t b) {
  env->log.push_back(std::to_string(a) + "," + std::to_string(b));
}
inline uint32_t host_call(Env* env, uint32_t a) {
  return env->on_call ? env->on_call(a) : a;
}
inline double host_mix(Env*, uint32_t a, uint64_t b, float c, double d) {
  return a + static_cast<double>(b) + static_cast<double>(c) + d;
}
inline float host_half(Env*, float x) {
  return x / 2;
}
inline uint64_t host_twice(Env*, uint64_t x) {
  return x * 2;
}

inline const std::vector<HostFunction>& host_functions() {
  static const std::vector<HostFunction> functions = {
      host_function<&host_log>("env", "log"), host_function<&host_call>("env", "call"),
      host_function<&host_mix>("env", "mix"), host_function<&host_half>("env", "half"),
      host_function<&host_twice>("env", "twice")};
  return functions;
}

class EngineTest : public testing::TestWithParam<EngineKind> {
 protected:
  compiler::LoadOptions options() const {
    compiler::LoadOptions options;
    options.kind = GetParam();
    options.cache_dir = shared_cache();
    options.optimization = 1;
    return options;
  }

  std::shared_ptr<Module> load(std::string_view text) {
    auto module = compiler::load_module(wasm(text), options());
    EXPECT_TRUE(module) << module.error().to_string();
    return module ? *std::move(module) : nullptr;
  }

  std::unique_ptr<Instance> instantiate(std::shared_ptr<Module> module, const Limits& limits = {}) {
    auto instance = Instance::create(std::move(module), host_functions(), &env_, limits);
    EXPECT_TRUE(instance) << instance.error().to_string();
    if (!instance) return nullptr;
    env_.instance = instance->get();
    return *std::move(instance);
  }
  std::unique_ptr<Instance> instantiate(std::string_view text, const Limits& limits = {}) {
    return instantiate(load(text), limits);
  }

  template <class Signature>
  static Function<Signature> get(Instance& instance, std::string_view name) {
    auto function = instance.function<Signature>(name);
    EXPECT_TRUE(function) << function.error().to_string();
    EXPECT_TRUE(*function) << name;
    return *function;
  }

  // Calls `name`, which must trap, and checks that the instance is dead after it.
  template <class R = void, class... A>
  static TrapKind trap_of(Instance& instance, std::string_view name, A... args) {
    auto result = instance.call(get<R(A...)>(instance, name), args...);
    EXPECT_FALSE(result) << name << " did not trap";
    if (result) return TrapKind::kDead;
    EXPECT_TRUE(instance.dead());
    EXPECT_FALSE(result.error().message.empty());
    auto again = instance.call(get<R(A...)>(instance, name), args...);
    EXPECT_FALSE(again);
    EXPECT_TRUE(again || again.error().kind == TrapKind::kDead);
    return result.error().kind;
  }

  Env env_;
};

inline std::string engine_name(const testing::TestParamInfo<EngineKind>& info) {
  return info.param == EngineKind::kAot ? "Aot" : "Interp";
}

}  // namespace inlay::engine
