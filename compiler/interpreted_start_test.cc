// SPDX-License-Identifier: Apache-2.0
// A module that the interpreter runs until native code is there, and what its instances take along. That an instance
// has gone over is seen by its memory, which lies elsewhere then.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <optional>

#include "compiler/tier_fixture.h"

namespace inlay::compiler {
namespace {

using namespace engine;

using std::chrono::milliseconds;

// What kState has not: numbers of each type, and a start function.
constexpr std::string_view kNumbers = R"((module
  (import "env" "log" (func $log (param i32 i64)))
  (memory (export "memory") 1)
  (global $a (mut i32) (i32.const -1))
  (global $constant i64 (i64.const 77))
  (global $b (mut i64) (i64.const -2))
  (global $c (mut f32) (f32.const 1.5))
  (global $d (mut f64) (f64.const nan:0x4000000000001))
  (global $none (mut externref) (ref.null extern))
  (func $begin (call $log (i32.const 1) (i64.const 2)) (i32.store (i32.const 64) (i32.const 9)))
  (start $begin)
  (func (export "set") (param i32 i64 f32 f64)
    (global.set $a (local.get 0)) (global.set $b (local.get 1)) (global.set $c (local.get 2))
    (global.set $d (local.get 3)))
  (func (export "a") (result i32) (global.get $a))
  (func (export "b") (result i64) (i64.add (global.get $b) (global.get $constant)))
  (func (export "c") (result f32) (global.get $c))
  (func (export "d") (result i64) (i64.reinterpret_f64 (global.get $d)))
  (func (export "begun") (result i32) (i32.load (i32.const 64)))))";

constexpr std::string_view kHidden = R"((module
  (memory 1 3)
  (global $f (mut funcref) (ref.null func))
  (global $heap (export "heap") (mut i32) (i32.const 5))
  (table $t (export "t") 1 2 funcref)
  (func $one (export "one") (result i32) (i32.const 1))
  (func (export "keep") (global.set $f (ref.func $one)) (global.set $heap (i32.const 6))
    (i32.store (memory.grow (i32.const 1)) (i32.const 7)) (i32.store (i32.const 100000) (i32.const 8)))
  (func (export "kept") (result i32)
    (table.set $t (i32.const 0) (global.get $f))
    (i32.add (i32.mul (global.get $heap) (i32.const 100)) (call_indirect (result i32) (i32.const 0))))
  (func (export "hidden") (result i32) (i32.add (i32.load (i32.const 1)) (i32.load (i32.const 100000))))
  (func (export "grow_memory") (result i32) (memory.grow (i32.const 1)))
  (func (export "grow_table") (result i32) (table.grow $t (ref.null func) (i32.const 1)))))";

constexpr std::string_view kTraps = R"((module
  (import "env" "call" (func $host (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "unreachable") unreachable)
  (func (export "loop") (loop (br 0)))
  (func (export "host") (param i32) (result i32) (call $host (local.get 0)))
  (func (export "fine") (result i32) (i32.const 1))))";

class InterpretedStartTest : public TierTest {
 protected:
  // An instance that is interpreted; native code comes with native().
  std::unique_ptr<Instance> begin(std::string_view text, const Limits& limits = {}) {
    module_ = load(text, options(Step::kWaits, Step::kWaits));
    EXPECT_EQ(module_->tier(), Tier::kInterpreted);
    return instantiate(module_, limits);
  }
  void native() {
    release_quick();
    EXPECT_EQ(wait_quick().error, "");
    EXPECT_EQ(module_->tier(), Tier::kQuick);
  }
  void optimized() {
    release();
    EXPECT_EQ(wait_optimized().error, "");
    EXPECT_EQ(module_->tier(), Tier::kOptimized);
  }

  std::shared_ptr<Module> module_;
};

TEST_F(InterpretedStartTest, StateAndHandlesGoOverToNativeCode) {
  env_.on_call = [](uint32_t a) { return a + 1000; };
  auto instance = begin(kState);
  const auto count = *instance->function<uint32_t()>("count");
  const auto through = *instance->function<uint32_t(uint32_t, uint32_t)>("through");
  EXPECT_EQ(*instance->call(count), 101u);
  run<void(uint32_t)>(*instance, "fill", 10u);
  EXPECT_EQ(run<uint32_t()>(*instance, "grow"), 6u);
  run<void()>(*instance, "drop");
  instance->memory()[70000] = 7;
  const uint8_t* const interpreted = instance->memory().data();
  uint32_t counted = 101;
  const auto check = [&] {
    const uint32_t expected[] = {1005, 6, 10, 10, 6, 6, 10, 10};
    for (uint32_t i = 0; i < std::size(expected); ++i) EXPECT_EQ(*instance->call(through, 5u, i), expected[i]) << i;
    EXPECT_EQ(run<uint32_t(uint32_t)>(*instance, "load", 12u), uint32_t{'c'});
    EXPECT_EQ(run<uint32_t(uint32_t)>(*instance, "load", 70000u), 7u);
    EXPECT_EQ(instance->memory().size(), 2u * 65536);
    EXPECT_EQ(*instance->call(count), ++counted);
  };
  check();
  native();
  EXPECT_EQ(instance->memory().data(), interpreted) << "not before a call";
  check();
  EXPECT_NE(instance->memory().data(), interpreted);
  optimized();
  check();
  auto fill = *instance->function<void(uint32_t)>("fill");
  EXPECT_FALSE(instance->call(fill, 10u)) << "dropped segments stay dropped";
}

TEST_F(InterpretedStartTest, WhatIsNotUsedBeforeIsThereAfterwards) {
  auto instance = begin(kState);
  native();
  run<void(uint32_t)>(*instance, "fill", 10u);
  EXPECT_EQ(run<uint32_t(uint32_t)>(*instance, "load", 15u), uint32_t{'f'});
  const auto through = *instance->function<uint32_t(uint32_t, uint32_t)>("through");
  EXPECT_EQ(*instance->call(through, 5u, 3u), 10u);
  EXPECT_EQ(*instance->call(through, 5u, 5u), 6u);
  auto fresh = instantiate(module_);
  EXPECT_EQ(run<uint32_t()>(*fresh, "count"), 101u) << "an instance that begins natively";
}

TEST_F(InterpretedStartTest, GlobalsOfEachTypeGoOverAndTheStartFunctionRunsOnce) {
  auto changed = begin(kNumbers);
  auto unchanged = instantiate(module_);
  run<void(uint32_t, uint64_t, float, double)>(*changed, "set", 5u, uint64_t{1} << 40, -0.5f, 2.5);
  changed->memory()[64] = 10;
  native();
  EXPECT_EQ(run<uint32_t()>(*changed, "a"), 5u);
  EXPECT_EQ(run<uint64_t()>(*changed, "b"), (uint64_t{1} << 40) + 77);
  EXPECT_EQ(run<float()>(*changed, "c"), -0.5f);
  EXPECT_EQ(run<uint64_t()>(*changed, "d"), 0x4004000000000000u);
  EXPECT_EQ(run<uint32_t()>(*changed, "begun"), 10u);
  EXPECT_EQ(run<uint32_t()>(*unchanged, "a"), 0xffffffffu);
  EXPECT_EQ(run<uint64_t()>(*unchanged, "b"), 75u);
  EXPECT_EQ(run<uint64_t()>(*unchanged, "d"), 0x7ff4000000000001u) << "a NaN keeps its bits";
  EXPECT_EQ(run<uint32_t()>(*unchanged, "begun"), 9u);
  EXPECT_EQ(env_.log.size(), 2u);
  auto fresh = instantiate(module_);
  EXPECT_EQ(run<uint32_t()>(*fresh, "begun"), 9u);
  EXPECT_EQ(env_.log.size(), 3u);
}

TEST_F(InterpretedStartTest, WhatIsNotExportedGoesOverToo) {
  auto instance = begin(kHidden);
  EXPECT_TRUE(instance->memory().empty());
  run<void()>(*instance, "keep");
  native();
  EXPECT_EQ(run<uint32_t()>(*instance, "kept"), 601u);
  EXPECT_EQ(run<uint32_t()>(*instance, "hidden"), 15u);
}

TEST_F(InterpretedStartTest, LimitsHoldBeforeAndAfter) {
  const Limits limits{.max_memory_bytes = 2 * 65536};
  auto instance = begin(kHidden, limits);
  EXPECT_EQ(run<uint32_t()>(*instance, "grow_memory"), 1u);
  EXPECT_EQ(run<uint32_t()>(*instance, "grow_memory"), 0xffffffffu);
  EXPECT_EQ(run<uint32_t()>(*instance, "grow_table"), 1u);
  native();
  EXPECT_EQ(run<uint32_t()>(*instance, "grow_memory"), 0xffffffffu);
  EXPECT_EQ(run<uint32_t()>(*instance, "grow_table"), 0xffffffffu);
}

TEST_F(InterpretedStartTest, ACallThatRunsIsFinishedInTheInterpreter) {
  auto instance = begin(kState, {.call_budget = milliseconds(0)});
  const auto through = *instance->function<uint32_t(uint32_t, uint32_t)>("through");
  const auto host = *instance->function<uint32_t(uint32_t)>("host");
  const uint8_t* const interpreted = instance->memory().data();
  env_.on_call = [&](uint32_t a) {
    native();
    const uint32_t answer = a + *instance->call(through, 5u, 1u);
    EXPECT_EQ(instance->memory().data(), interpreted);
    return answer;
  };
  EXPECT_EQ(*instance->call(host, 1u), 7u);
  EXPECT_EQ(instance->memory().data(), interpreted);
  EXPECT_EQ(*instance->call(through, 5u, 2u), 10u);
  EXPECT_NE(instance->memory().data(), interpreted);
  env_.on_call = [&](uint32_t a) { return a + *instance->call(through, 5u, 2u); };
  EXPECT_EQ(*instance->call(host, 1u), 11u);
}

TEST_F(InterpretedStartTest, AnInstanceGoesOverWithinACallOfAnother) {
  auto outer = begin(kState);
  auto inner = instantiate(module_);
  const uint8_t* const interpreted = inner->memory().data();
  native();
  env_.on_call = [&](uint32_t a) { return a + run<uint32_t()>(*inner, "count"); };
  EXPECT_EQ(run<uint32_t(uint32_t)>(*outer, "host", 1u), 102u);
  EXPECT_NE(inner->memory().data(), interpreted);
}

TEST_F(InterpretedStartTest, ATrapInTheInterpreterIsTheSameAsLater) {
  auto dead = begin(kTraps);
  auto raised = instantiate(module_);
  const auto unreachable = *dead->function<void()>("unreachable");
  const auto trapped = dead->call(unreachable);
  ASSERT_FALSE(trapped);
  EXPECT_EQ(trapped.error().message, "unreachable executed in unreachable");
  raised->raise({TrapKind::kHost, "enough"});
  native();
  EXPECT_EQ(dead->call(*dead->function<uint32_t()>("fine")).error().kind, TrapKind::kDead);
  EXPECT_EQ(raised->call(*raised->function<uint32_t()>("fine")).error().message,
            "the instance has trapped before: enough");
  auto fresh = instantiate(module_);
  const auto native_trap = fresh->call(*fresh->function<void()>("unreachable"));
  EXPECT_EQ(native_trap.error().message, trapped.error().message);
}

TEST_F(InterpretedStartTest, ABudgetIsStretchedWhileNativeCodeIsMadeAndEndsWhatIsEndless) {
  const milliseconds budget(100);
  auto instance = begin(kTraps, {.call_budget = budget});
  auto endless = instantiate(module_, {.call_budget = milliseconds(1)});
  env_.on_call = [&](uint32_t a) {
    std::this_thread::sleep_for(budget + budget / 2);
    return a;
  };
  const auto host = *instance->function<uint32_t(uint32_t)>("host");
  EXPECT_TRUE(instance->call(host, 1u));
  const auto ended = endless->call(*endless->function<void()>("loop"));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, TrapKind::kDeadlineExceeded);
  native();
  const auto late = instance->call(host, 1u);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, TrapKind::kDeadlineExceeded);
}

TEST_F(InterpretedStartTest, WhenNoCodeWillComeACallHasItsBudgetAgainAndOneThatRunsTenMore) {
  const milliseconds budget(200);
  module_ = load(kTraps, options(Step::kComes, Step::kWaitsAndFails));
  auto instance = instantiate(module_, {.call_budget = budget});
  const auto host = *instance->function<uint32_t(uint32_t)>("host");
  const auto beyond = [&](uint32_t a) {
    std::this_thread::sleep_for(budget + budget / 2);
    return a;
  };
  env_.on_call = [&](uint32_t a) {
    release_quick();
    EXPECT_NE(wait_quick().error.find("no quick code"), std::string::npos);
    return beyond(a);
  };
  EXPECT_TRUE(instance->call(host, 1u));
  env_.on_call = beyond;
  const auto late = instance->call(host, 1u);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, TrapKind::kDeadlineExceeded);
}

TEST_F(InterpretedStartTest, WhatIsEndlessEndsSoonAfterTheCompilerHasFailed) {
  const milliseconds budget(50);
  module_ = load(R"((module (import "env" "call" (func $host (param i32) (result i32)))
      (func (export "spin") (drop (call $host (i32.const 1))) (loop (br 0)))))",
                 options(Step::kComes, Step::kWaitsAndFails));
  auto instance = instantiate(module_, {.call_budget = budget});
  env_.on_call = [&](uint32_t a) {
    release_quick();
    EXPECT_NE(wait_quick().error.find("no quick code"), std::string::npos);
    return a;
  };
  const auto begun = std::chrono::steady_clock::now();
  const auto ended = instance->call(*instance->function<void()>("spin"));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, TrapKind::kDeadlineExceeded);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 10 * budget);
}

TEST_F(InterpretedStartTest, ABudgetWithoutBoundIsStretchedToNoLess) {
  auto instance = begin(R"((module (func (export "spin") (param i32)
      (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if 0 (local.get 0))))))",
                        {.call_budget = milliseconds::max()});
  const auto spin = *instance->function<void(uint32_t)>("spin");
  EXPECT_TRUE(instance->call(spin, 100000u)) << "the interpreter looks at the clock";
  native();
  EXPECT_TRUE(instance->call(spin, 100000u));
}

TEST_F(InterpretedStartTest, AStopEndsWhatIsInterpreted) {
  std::stop_source source;
  LoadOptions stopped = options(Step::kWaits, Step::kWaits);
  stopped.stop = source.get_token();
  module_ = load(kTraps, stopped);
  auto instance = instantiate(module_, {.call_budget = milliseconds(0)});
  env_.on_call = [&](uint32_t a) {
    source.request_stop();
    return a;
  };
  const auto ended = instance->call(*instance->function<uint32_t(uint32_t)>("host"), 1u);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, TrapKind::kHost);
  auto endless = Instance::create(module_, host_functions(), &env_, {.call_budget = milliseconds(0)});
  ASSERT_TRUE(endless);
  EXPECT_FALSE((*endless)->call(*(*endless)->function<void()>("loop")));
  EXPECT_FALSE(load_module(wasm(kState), stopped));
}

TEST_F(InterpretedStartTest, ThreadsMoveTheirInstancesWhileTheyCall) {
  module_ = load(kState, options(Step::kWaits, Step::kWaits));
  std::atomic<int> ready{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Env env;
      std::vector<std::unique_ptr<Instance>> instances;
      for (int k = 0; k < 3; ++k) {
        auto made = Instance::create(module_, host_functions(), &env, {.call_budget = milliseconds(0)});
        ASSERT_TRUE(made);
        instances.push_back(*std::move(made));
      }
      uint32_t counted = 100;
      int left = 50;
      ++ready;
      while (left > 0) {
        if (module_->tier() == Tier::kOptimized) --left;
        ++counted;
        for (const auto& instance : instances) {
          ASSERT_EQ(*instance->call(*instance->function<uint32_t()>("count")), counted);
          const auto through = *instance->function<uint32_t(uint32_t, uint32_t)>("through");
          ASSERT_EQ(*instance->call(through, counted, 2u), counted * 2);
        }
        // Instances come and go at any time.
        if (counted % 16 != 0) continue;
        ASSERT_TRUE(Instance::create(module_, host_functions(), &env, {}));
      }
    });
  }
  while (ready < 4) std::this_thread::yield();
  native();
  optimized();
  for (std::thread& thread : threads) thread.join();
}

TEST_F(InterpretedStartTest, WhenTheCompilerFailsTheInterpreterGoesOn) {
  module_ = load(kState, options(Step::kComes, Step::kFails));
  auto instance = instantiate(module_);
  EXPECT_NE(wait_quick().error.find("no quick code"), std::string::npos);
  EXPECT_EQ(module_->tier(), Tier::kInterpreted);
  EXPECT_EQ(run<uint32_t()>(*instance, "count"), 101u);
  EXPECT_TRUE(files().empty());
}

TEST_F(InterpretedStartTest, TheEndOfTheModuleKillsTheCompilerOfTheQuickCode) {
  module_ = load(kState, options(Step::kComes, Step::kHangs));
  auto instance = instantiate(module_);
  EXPECT_EQ(run<uint32_t()>(*instance, "count"), 101u);
  const std::string pid = hanging();
  ASSERT_TRUE(runs(pid));
  instance.reset();
  module_.reset();
  EXPECT_FALSE(runs(pid));
  EXPECT_TRUE(files().empty());
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(InterpretedStartTest, WithoutAddressSpaceTheInterpreterGoesOn) {
  auto instance = begin(kState);
  const uint8_t* const interpreted = instance->memory().data();
  native();
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  const rlimit narrow = {rlim_t{4} << 30, before.rlim_max};  // a memory reserves 8 GiB
  ASSERT_EQ(setrlimit(RLIMIT_AS, &narrow), 0);
  EXPECT_EQ(run<uint32_t()>(*instance, "count"), 101u);
  setrlimit(RLIMIT_AS, &before);
  EXPECT_EQ(run<uint32_t()>(*instance, "count"), 102u);
  EXPECT_EQ(instance->memory().data(), interpreted);
  optimized();
  EXPECT_EQ(run<uint32_t()>(*instance, "count"), 103u);
  EXPECT_NE(instance->memory().data(), interpreted) << "the next code is another chance";
}

TEST_F(InterpretedStartTest, AMoveThatHasFailedIsTriedAgainLaterAndLater) {
  auto instance = begin(kState);
  const uint8_t* const interpreted = instance->memory().data();
  native();
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &before), 0);
  const rlimit narrow = {rlim_t{4} << 30, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_AS, &narrow), 0);
  for (uint32_t call = 1; call <= 3; ++call) EXPECT_EQ(run<uint32_t()>(*instance, "count"), 100u + call);
  setrlimit(RLIMIT_AS, &before);
  for (uint32_t call = 4; call <= 5; ++call) {  // it was tried with the first and the third
    EXPECT_EQ(run<uint32_t()>(*instance, "count"), 100u + call);
    EXPECT_EQ(instance->memory().data(), interpreted);
  }
  EXPECT_EQ(run<uint32_t()>(*instance, "count"), 106u);
  EXPECT_NE(instance->memory().data(), interpreted);
  EXPECT_EQ(run<uint32_t()>(*instance, "count"), 107u);
}

// Narrow leaves `bytes` more of address space than there is in use, as long as it lives.
class Narrow {
 public:
  explicit Narrow(rlim_t bytes) {
    rlim_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    EXPECT_EQ(getrlimit(RLIMIT_AS, &before_), 0);
    const rlimit narrow = {pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + bytes, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_AS, &narrow), 0);
  }
  Narrow(const Narrow&) = delete;
  Narrow& operator=(const Narrow&) = delete;
  ~Narrow() { setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_ = {};
};

// Some 2 KB, of whose 250 functions each has 50,000 locals, for each of which the C writer makes a name.
std::vector<uint8_t> many_locals() {
  std::vector<uint8_t> bytes = {0, 'a', 's', 'm', 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0};
  constexpr size_t kFunctions = 250;
  const auto number = [&](size_t value) {  // of two bytes
    bytes.push_back(static_cast<uint8_t>(value & 0x7f) | 0x80);
    bytes.push_back(static_cast<uint8_t>(value >> 7));
  };
  bytes.push_back(3);
  number(kFunctions + 2);
  number(kFunctions);
  bytes.insert(bytes.end(), kFunctions, 0);
  bytes.push_back(10);
  number(kFunctions * 7 + 2);
  number(kFunctions);
  for (size_t i = 0; i < kFunctions; ++i) bytes.insert(bytes.end(), {6, 1, 0xd0, 0x86, 3, 0x7f, 0x0b});
  return bytes;
}

TEST_F(InterpretedStartTest, AModuleThatNoMemoryIsEnoughForIsAnErrorOfItsOwn) {
  const std::vector<uint8_t> bytes = many_locals();
  auto aot = options();
  aot.kind = EngineKind::kAot;
  const Narrow narrow(rlim_t{256} << 20);
  auto compiled = load_module(bytes, aot);
  ASSERT_FALSE(compiled);
  EXPECT_EQ(compiled.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(compiled.error().message, "there is not enough memory to translate the module to C");
  auto interpreted = load_module(bytes, options());
  ASSERT_TRUE(interpreted) << interpreted.error().to_string();
  EXPECT_EQ(wait_quick().error, "there is not enough memory to translate the module to C");
  EXPECT_EQ((*interpreted)->tier(), Tier::kInterpreted);
}

TEST_F(InterpretedStartTest, AnInterpretedGuestThatNoMemoryIsEnoughForEndsAlone) {
  auto greedy = begin(R"((module (memory (export "memory") 1)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))))",
                      {.max_memory_bytes = uint64_t{1} << 30});
  auto modest = instantiate(module_);
  const Narrow narrow(rlim_t{16} << 20);
  const auto ended = greedy->call(*greedy->function<uint32_t(uint32_t)>("grow"), 8000u);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().message, "there is not enough memory for what the module asks for in grow");
  EXPECT_EQ(run<uint32_t(uint32_t)>(*modest, "grow", 1u), 1u);
}
#endif

}  // namespace
}  // namespace inlay::compiler
