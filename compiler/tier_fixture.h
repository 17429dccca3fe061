// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of tiers share: a module with every kind of state, and a compiler that is a script which holds back,
// or refuses, a compilation, so that a test decides when code comes.

#include <sys/stat.h>

#include <fstream>
#include <future>
#include <thread>

#include "engine/engine_fixture.h"

namespace inlay::compiler {

using namespace engine;

namespace fs = std::filesystem;

inline constexpr std::string_view kState = R"((module
  (type $t (func (param i32) (result i32)))
  (import "env" "call" (func $host (type $t)))
  (memory (export "memory") 1 4)
  (global $count (mut i32) (i32.const 100))
  (global $kept (mut funcref) (ref.func $inc))
  (table $table 6 10 funcref)
  (table $others 2 externref)
  (elem (table $table) (i32.const 0) func $host $inc $double)
  (elem $passive func $double $inc)
  (data $bytes "abcdef")
  (func $inc (type $t) (i32.add (local.get 0) (i32.const 1)))
  (func $double (type $t) (i32.mul (local.get 0) (i32.const 2)))
  (func (export "count") (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count))
  (func (export "fill") (param i32)
    (table.init $table $passive (i32.const 3) (i32.const 0) (i32.const 2))
    (table.set $table (i32.const 5) (global.get $kept))
    (memory.init $bytes (local.get 0) (i32.const 0) (i32.const 6)))
  (func (export "grow") (result i32)
    (drop (memory.grow (i32.const 1)))
    (table.grow $table (ref.func $double) (i32.const 2)))
  (func (export "drop") (data.drop $bytes) (elem.drop $passive))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "through") (param i32 i32) (result i32)
    (call_indirect $table (type $t) (local.get 0) (local.get 1)))
  (func (export "host") (type $t) (call $host (local.get 0)))))";

// TierTest has a cache and a compiler. Of its two compilations each comes at once, waits for release_quick() or
// release(), fails, at once or when it has waited, or hangs.
class TierTest : public testing::Test {
 protected:
  enum class Step : uint8_t { kComes, kWaits, kFails, kWaitsAndFails, kHangs };

  LoadOptions options(Step second = Step::kWaits, Step first = Step::kComes) {
    const std::string dir = dir_.path();
    const std::string script = "#!/bin/sh\necho \"$*\" >> " + dir + "/calls\ncase \" $* \" in\n*' -O2 '*)\n" +
                               step(second, "go") + ";;\n*)\n" + step(first, "quick") + ";;\nesac\nexec cc \"$@\"\n";
    const std::string compiler =
        dir + "/cc-" + std::to_string(static_cast<int>(second)) + std::to_string(static_cast<int>(first));
    if (!fs::exists(compiler)) std::ofstream(compiler) << script;  // a newer one would be another compiler
    chmod(compiler.c_str(), 0755);
    LoadOptions options;
    options.cache_dir = dir + "/cache";
    options.compiler = compiler;
    options.on_tier = [this](const TierEvent& event) {
      (event.tier == Tier::kQuick ? quick_ : optimized_).set_value(event);
    };
    return options;
  }

  std::shared_ptr<Module> load(std::string_view text, const LoadOptions& options) {
    auto module = load_module(wasm(text), options);
    EXPECT_TRUE(module) << module.error().to_string();
    if (!module) return nullptr;
    EXPECT_EQ((*module)->kind(), EngineKind::kAot) << (*module)->fallback_reason();
    return *module;
  }
  // Loads, and waits for native code.
  std::shared_ptr<Module> load_quick(std::string_view text, const LoadOptions& options) {
    auto module = load(text, options);
    if (module == nullptr) return nullptr;
    EXPECT_EQ(wait_quick().error, "");
    return module;
  }
  std::unique_ptr<Instance> instantiate(std::shared_ptr<Module> module, const Limits& limits = {}) {
    auto instance = Instance::create(std::move(module), host_functions(), &env_, limits);
    EXPECT_TRUE(instance) << instance.error().to_string();
    return instance ? *std::move(instance) : nullptr;
  }

  void release_quick() { std::ofstream(dir_.path() + "/quick") << "go"; }
  TierEvent wait_quick() { return quick_.get_future().get(); }
  void release() { std::ofstream(dir_.path() + "/go") << "go"; }
  TierEvent wait_optimized() { return optimized_.get_future().get(); }

  // How often the compiler ran for quick code.
  size_t quick_calls() {
    std::ifstream calls(dir_.path() + "/calls");
    size_t count = 0;
    for (std::string line; std::getline(calls, line);) count += line.find(" -O2 ") == std::string::npos ? 1 : 0;
    return count;
  }

  std::vector<std::string> files() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir_.path() + "/cache")) names.push_back(entry.path().filename());
    return names;
  }

  // The compiler that kHangs, once it does.
  std::string hanging() {
    const std::string pid_file = dir_.path() + "/pid";
    while (!fs::exists(pid_file)) std::this_thread::yield();
    std::string pid;
    std::ifstream(pid_file) >> pid;
    return pid;
  }
  static bool runs(const std::string& pid) {
    std::string state;
    std::getline(std::ifstream("/proc/" + pid + "/stat"), state);
    return !state.empty() && state.find(") Z") == std::string::npos;
  }

  TempDir dir_;
  Env env_;
  std::promise<TierEvent> quick_;
  std::promise<TierEvent> optimized_;

 private:
  std::string step(Step step, const std::string& go) const {
    const std::string dir = dir_.path();
    switch (step) {
      case Step::kComes:
        return ":";
      case Step::kWaits:
        return "while [ ! -e " + dir + "/" + go + " ]; do sleep 0.01; done";
      case Step::kFails:
        return "echo no " + go + " code; exit 1";
      case Step::kWaitsAndFails:
        return this->step(Step::kWaits, go) + "; " + this->step(Step::kFails, go);
      case Step::kHangs:
        return "sleep 1000 & echo $! > " + dir + "/x; mv " + dir + "/x " + dir + "/pid; wait";
    }
    return ":";
  }
};

template <class Signature, class... A>
auto run(Instance& instance, std::string_view name, A... args) {
  auto function = instance.function<Signature>(name);
  EXPECT_TRUE(function && *function) << name;
  auto result = instance.call(*function, args...);
  EXPECT_TRUE(result) << name << ": " << result.error().message;
  return *result;
}

}  // namespace inlay::compiler
