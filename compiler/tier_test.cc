// SPDX-License-Identifier: Apache-2.0
// Quick code first, optimised code while it runs.
#include <atomic>
#include <cstdlib>
#include <optional>
#include <set>
#include <thread>

#include "compiler/large_module.h"
#include "compiler/tier_fixture.h"
#include "compiler/tiers/tiered_module.h"

namespace inlay::compiler {
namespace {

using namespace engine;

TEST_F(TierTest, StateAndHandlesSurviveTheSwitch) {
  env_.on_call = [](uint32_t a) { return a + 1000; };
  auto module = load_quick(kState, options());
  EXPECT_EQ(module->tier(), Tier::kQuick);
  auto instance = instantiate(module);
  const auto count = *instance->function<uint32_t()>("count");
  const auto through = *instance->function<uint32_t(uint32_t, uint32_t)>("through");
  EXPECT_EQ(*instance->call(count), 101u);
  run<void(uint32_t)>(*instance, "fill", 10u);
  run<uint32_t()>(*instance, "grow");
  run<void()>(*instance, "drop");
  instance->memory()[70000] = 7;
  const auto check = [&] {
    const uint32_t expected[] = {1005, 6, 10, 10, 6, 6, 10, 10};
    for (uint32_t i = 0; i < std::size(expected); ++i) EXPECT_EQ(*instance->call(through, 5u, i), expected[i]) << i;
    EXPECT_EQ(run<uint32_t(uint32_t)>(*instance, "load", 12u), uint32_t{'c'});
    EXPECT_EQ(run<uint32_t(uint32_t)>(*instance, "load", 70000u), 7u);
  };
  check();
  release();
  const TierEvent event = wait_optimized();
  EXPECT_EQ(event.error, "");
  EXPECT_EQ(module->tier(), Tier::kOptimized);
  EXPECT_EQ(*instance->call(count), 102u);
  check();
  // Dropped segments stay dropped, and what funcref globals hold still runs.
  auto fill = *instance->function<void(uint32_t)>("fill");
  EXPECT_FALSE(instance->call(fill, 10u));
  auto fresh = instantiate(module);
  run<void(uint32_t)>(*fresh, "fill", 20u);
  EXPECT_EQ(run<uint32_t(uint32_t)>(*fresh, "load", 25u), uint32_t{'f'});
}

TEST_F(TierTest, TableEntriesAreMadeToPointIntoTheOptimisedCode) {
  auto module = load_quick(kState, options());
  auto& tiered = static_cast<TieredModule&>(*module);
  const aot::Descriptor& quick = tiered.code()->descriptor();
  ASSERT_GE(quick.function_count, 3u);
  release();
  EXPECT_EQ(wait_optimized().error, "");
  const aot::Descriptor& optimized = tiered.code()->descriptor();
  ASSERT_NE(&quick, &optimized);
  struct Element {
    uint64_t type;
    NativeFunction function;
    void* instance;
  };
  std::vector<Element> elements(4);
  for (size_t i = 0; i < 3; ++i) elements[i] = {9, quick.functions[i], this};
  aot::GuestTable table{elements.data(), 4, 4};
  tiered.redirect({&table, sizeof(Element)});
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NE(quick.functions[i], optimized.functions[i]);
    EXPECT_EQ(elements[i].function, optimized.functions[i]);
    EXPECT_EQ(elements[i].instance, this);
  }
  EXPECT_EQ(elements[3].function, nullptr);
}

TEST_F(TierTest, ACallThatRunsIsFinishedBeforeItsInstanceSwitches) {
  auto module = load_quick(kState, options());
  auto instance = instantiate(module, {.call_budget = std::chrono::milliseconds(0)});  // a compiler may take its time
  const auto through = *instance->function<uint32_t(uint32_t, uint32_t)>("through");
  const auto host = *instance->function<uint32_t(uint32_t)>("host");
  env_.on_call = [&](uint32_t a) {
    release();
    EXPECT_EQ(wait_optimized().error, "");
    return a + *instance->call(through, 5u, 1u);
  };
  EXPECT_EQ(*instance->call(host, 1u), 7u);
  EXPECT_EQ(*instance->call(through, 5u, 2u), 10u);
}

TEST_F(TierTest, ThreadsSwitchTheirInstancesWhileTheyCall) {
  auto module = load_quick(kState, options());
  std::atomic<int> ready{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Env env;
      auto made = Instance::create(module, host_functions(), &env, {});
      ASSERT_TRUE(made);
      Instance& instance = **made;
      const auto count = *instance.function<uint32_t()>("count");
      const auto through = *instance.function<uint32_t(uint32_t, uint32_t)>("through");
      uint32_t counted = 100;
      int left = 1000;
      ++ready;
      while (left > 0) {
        if (module->tier() == Tier::kOptimized) --left;
        ASSERT_EQ(*instance.call(count), ++counted);
        ASSERT_EQ(*instance.call(through, counted, 2u), counted * 2);
        // Instances come and go at any time.
        if (counted % 64 != 0) continue;
        ASSERT_TRUE(Instance::create(module, host_functions(), &env, {}));
      }
    });
  }
  while (ready < 4) std::this_thread::yield();
  release();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wait_optimized().error, "");
}

TEST_F(TierTest, WhenTheSecondCompilationFailsTheQuickCodeStays) {
  auto module = load_quick(kState, options(Step::kFails));
  auto instance = instantiate(module);
  EXPECT_NE(wait_optimized().error.find("no go code"), std::string::npos);
  EXPECT_EQ(module->tier(), Tier::kQuick);
  EXPECT_EQ(run<uint32_t()>(*instance, "count"), 101u);
  ASSERT_EQ(files().size(), 1u) << "no temporary file is left";
}

TEST_F(TierTest, TheEndOfTheModuleKillsTheCompiler) {
  auto module = load(kState, options(Step::kHangs));
  const std::string pid = hanging();
  ASSERT_TRUE(runs(pid));
  module.reset();
  EXPECT_FALSE(runs(pid));
  ASSERT_EQ(files().size(), 1u) << "no temporary file is left";
  EXPECT_TRUE(files()[0].ends_with(".quick.aot"));
  EXPECT_EQ(optimized_.get_future().wait_for(std::chrono::seconds(0)), std::future_status::timeout);
}

TEST_F(TierTest, TheNextLoadBeginsWithTheBestThatIsThere) {
  load_quick(kState, options(Step::kHangs)).reset();
  ASSERT_EQ(files().size(), 1u);
  const size_t calls = quick_calls();
  quick_ = {};
  auto module = load(kState, options(Step::kHangs));
  EXPECT_EQ(module->tier(), Tier::kQuick);
  EXPECT_EQ(quick_calls(), calls) << "the quick code is in the cache";
  module.reset();

  quick_ = {};
  module = load(kState, options());
  release();
  EXPECT_EQ(wait_optimized().error, "");
  module.reset();
  quick_ = {};
  optimized_ = {};
  module = load(kState, options());
  EXPECT_EQ(module->tier(), Tier::kOptimized);
  EXPECT_EQ(quick_.get_future().wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  LoadOptions without = options();
  without.compiler = "/nonexistent/cc";
  EXPECT_EQ(load(kState, without)->tier(), Tier::kOptimized) << "the optimised artifact is preferred";
}

TEST_F(TierTest, OnlyAutoHasTiers) {
  LoadOptions aot = options();
  aot.kind = EngineKind::kAot;
  release();
  EXPECT_EQ(load(kState, aot)->tier(), Tier::kOptimized);
  LoadOptions off = options();
  off.tiering = false;
  off.cache_dir += "-2";
  EXPECT_EQ(load(kState, off)->tier(), Tier::kOptimized);
  EXPECT_EQ(quick_.get_future().wait_for(std::chrono::seconds(0)), std::future_status::timeout);
}

TEST_F(TierTest, ALoadCanBeStopped) {
  for (const bool before : {true, false}) {
    std::stop_source source;
    LoadOptions stopped = options(Step::kHangs);
    stopped.tiering = false;
    stopped.stop = source.get_token();
    if (before) source.request_stop();
    std::thread stopper([&] {
      while (!before && !fs::exists(dir_.path() + "/pid")) std::this_thread::yield();
      source.request_stop();
    });
    auto module = load_module(wasm(kState), stopped);
    stopper.join();
    ASSERT_FALSE(module);
    EXPECT_NE(module.error().message.find("stopped"), std::string::npos) << module.error().message;
    EXPECT_EQ(fs::exists(dir_.path() + "/cache"), !before) << "nothing is begun after the stop";
    EXPECT_TRUE(before || files().empty());
  }
}

// ChoiceTest has a $PATH with a cc and a clang that write down who was called, and how. The second compilation waits
// for release().
class ChoiceTest : public TierTest {
 protected:
  // Nobody names a compiler. `broken`: clang only fails.
  LoadOptions unnamed(bool broken = false) {
    const std::string bin = dir_.path() + "/bin";
    fs::create_directory(bin);
    for (const std::string name : {"cc", "clang"}) {
      if (fs::exists(bin + "/" + name)) continue;  // a newer one would be another compiler
      std::ofstream script(bin + "/" + name);
      script << "#!/bin/sh\necho \"" << name << " $*\" >> " << dir_.path() << "/calls\nPATH=" << path_ << "\n";
      if (broken && name == "clang") script << "exit 1\n";
      script << "case \" $* \" in *' -O2 '*) while [ ! -e " << dir_.path() << "/go ]; do sleep 0.01; done;; esac\n";
      script << "exec " << (have_clang_ ? name : "cc") << " \"$@\"\n";
      script.close();
      chmod((bin + "/" + name).c_str(), 0755);
    }
    setenv("PATH", bin.c_str(), 1);
    unsetenv("INLAY_CC");
    LoadOptions result = options();
    result.compiler.clear();
    return result;
  }

  void TearDown() override {
    setenv("PATH", path_.c_str(), 1);
    if (named_) setenv("INLAY_CC", named_->c_str(), 1);
  }

  // "cc -O2" and the like, sorted, each kind of call once.
  std::vector<std::string> calls() {
    std::set<std::string> found;
    std::ifstream file(dir_.path() + "/calls");
    for (std::string line; std::getline(file, line);) {
      const size_t level = line.find(" -O");
      if (level != std::string::npos) found.insert(line.substr(0, line.find(' ')) + line.substr(level, 4));
    }
    return {found.begin(), found.end()};
  }

 private:
  static std::optional<std::string> variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
  }
  const std::string path_ = variable("PATH").value_or("");
  const bool have_clang_ = std::system("command -v clang > /dev/null") == 0;
  const std::optional<std::string> named_ = variable("INLAY_CC");
};

using Calls = std::vector<std::string>;

TEST_F(ChoiceTest, WhereNobodyNamesACompilerClangMakesTheQuickCodeAndTheStateGoesOn) {
  auto module = load_quick(kState, unnamed());
  auto instance = instantiate(module);
  run<void(uint32_t)>(*instance, "fill", 10u);
  run<uint32_t()>(*instance, "grow");
  EXPECT_EQ(run<uint32_t()>(*instance, "count"), 101u);
  release();
  EXPECT_EQ(wait_optimized().error, "");
  EXPECT_EQ(calls(), (Calls{"cc -O2", "clang -O0"}));
  EXPECT_EQ(run<uint32_t()>(*instance, "count"), 102u);
  for (const uint32_t index : {1u, 4u, 5u}) {  // inc; inc; inc from a global, which is quick code still
    EXPECT_EQ((run<uint32_t(uint32_t, uint32_t)>(*instance, "through", 5u, index)), 6u) << index;
  }
  EXPECT_EQ(run<uint32_t(uint32_t)>(*instance, "load", 12u), uint32_t{'c'});
  ASSERT_EQ(files().size(), 1u) << "the quick artifact is gone";
}

TEST_F(ChoiceTest, TheCompilerThatTheUserNamesMakesBoth) {
  release();
  for (const bool by_variable : {false, true}) {
    LoadOptions named = unnamed();
    named.cache_dir += by_variable ? "-1" : "-2";
    if (by_variable) {
      setenv("INLAY_CC", "cc", 1);
    } else {
      named.compiler = "cc";
    }
    quick_ = {};
    optimized_ = {};
    const auto module = load(kState, named);
    EXPECT_EQ(wait_optimized().error, "");
    unsetenv("INLAY_CC");
  }
  EXPECT_EQ(calls(), (Calls{"cc -O2", "cc -Og"}));
}

TEST_F(ChoiceTest, WhereClangFailsTheOtherCompilerMakesTheQuickCodeToo) {
  auto module = load_quick(kState, unnamed(true));
  EXPECT_EQ(module->tier(), Tier::kQuick);
  EXPECT_EQ(run<uint32_t()>(*instantiate(module), "count"), 101u);
  module.reset();
  quick_ = {};
  module = load(kState, unnamed(true));
  EXPECT_EQ(module->tier(), Tier::kQuick) << "from the cache";
  release();
  EXPECT_EQ(wait_optimized().error, "");
  EXPECT_EQ(calls(), (Calls{"cc -O2", "cc -Og", "clang -O0"}));
  ASSERT_EQ(files().size(), 1u) << "the quick artifact is gone";
}

// 160 KB, which is compiled in parts where there is more than one core.
TEST_F(ChoiceTest, ALargeModuleComputesTheSameInEveryTier) {
  const std::string text = large_module(480);
  LoadOptions interpreted = options();
  interpreted.kind = EngineKind::kInterp;
  auto reference = instantiate(*load_module(wasm(text), interpreted));
  auto module = load(text, unnamed());
  auto instance = instantiate(module);
  const auto compare = [&] {
    for (uint32_t i = 0; i < 480; i += 7) {
      EXPECT_EQ((run<uint32_t(uint32_t, uint32_t)>(*instance, "run", i * 977, i)),
                (run<uint32_t(uint32_t, uint32_t)>(*reference, "run", i * 977, i)));
    }
    EXPECT_TRUE(std::equal(instance->memory().begin(), instance->memory().end(), reference->memory().begin()));
  };
  compare();
  EXPECT_EQ(wait_quick().error, "");
  compare();
  release();
  EXPECT_EQ(wait_optimized().error, "");
  compare();
}

}  // namespace
}  // namespace inlay::compiler
