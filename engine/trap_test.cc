// SPDX-License-Identifier: Apache-2.0
// Every way in which a guest's call ends early. After each the process goes on and the instance is dead.
#include <chrono>
#include <cmath>
#include <thread>

#include "engine/engine_fixture.h"

namespace inlay::engine {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

class TrapTest : public EngineTest {
 protected:
  static constexpr std::string_view kTraps = R"((module
    (import "env" "call" (func $call (param i32) (result i32)))
    (type $void (func))
    (memory (export "memory") 1)
    (table $table 3 3 funcref)
    (elem (i32.const 1) $two_args)
    (func $two_args (param i32 i32))
    (func (export "unreachable") (unreachable))
    (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "far") (param i32) (result i32) (i32.load offset=4294967295 (local.get 0)))
    (func (export "store") (param i32) (i64.store (local.get 0) (i64.const 1)))
    (func (export "fill") (param i32) (memory.fill (i32.const 0) (i32.const 1) (local.get 0)))
    (func (export "copy") (param i32) (memory.copy (local.get 0) (i32.const 0) (i32.const 100)))
    (func (export "table") (param i32) (drop (table.get $table (local.get 0))))
    (func (export "table_copy") (param i32) (table.copy (i32.const 0) (i32.const 1) (local.get 0)))
    (func (export "div") (param i32) (result i32) (i32.div_s (i32.const -2147483648) (local.get 0)))
    (func (export "rem") (param i64) (result i64) (i64.rem_u (i64.const 5) (local.get 0)))
    (func (export "trunc") (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
    (func (export "indirect") (param i32) (call_indirect (type $void) (local.get 0)))
    (func $deep (export "deep") (param i32) (result i32)
      (i32.add (i32.const 1) (call $deep (i32.add (local.get 0) (i32.const 1)))))
    (func $mutual (export "deep_host") (param i32) (result i32)
      (i32.add (i32.const 1) (call $call (local.get 0))))
    (func $climb (export "climb") (param i32) (result i32)
      (drop (call $call (local.get 0)))
      (i32.add (i32.const 1) (call $climb (i32.add (local.get 0) (i32.const 1)))))
    (func $grow_deep (export "grow_deep") (param i32) (result i32)
      (drop (memory.grow (i32.const 0)))
      (i32.add (i32.const 1) (call $grow_deep (i32.add (local.get 0) (i32.const 1)))))
    (func $fill_deep (export "fill_deep") (param i32) (result i32)
      (memory.fill (i32.const 0) (i32.const 1) (i32.const 1000))
      (i32.add (i32.const 1) (call $fill_deep (i32.add (local.get 0) (i32.const 1)))))
    (func (export "loop") (loop $l (br $l)))
    (func (export "fill_loop") (loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br $l)))
    (func (export "host_loop") (loop $l (drop (call $call (i32.const 1))) (br $l)))
    (func (export "once") (result i32) (call $call (i32.const 1)))))";

  // With time enough on a busy machine and under a sanitizer: where it is to run out, the test says so.
  std::unique_ptr<Instance> traps(const Limits& limits = {.call_budget = milliseconds(60000)}) {
    return instantiate(kTraps, limits);
  }

  // An instance with a budget that is to run out. It has it while it is made, too, and a busy machine may take that
  // long: then it is made again.
  static std::unique_ptr<Instance> hurried(const std::shared_ptr<Module>& module, Env& env, milliseconds budget) {
    for (;;) {
      auto made = Instance::create(module, host_functions(), &env, {.call_budget = budget});
      if (made) return *std::move(made);
      if (made.error().code != ErrorCode::kDeadlineExceeded) {
        ADD_FAILURE() << made.error().to_string();
        return nullptr;
      }
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, TrapTest, testing::Values(EngineKind::kAot, EngineKind::kInterp), engine_name);

TEST_P(TrapTest, Unreachable) {
  auto instance = traps();
  ASSERT_TRUE(instance);
  auto result = instance->call(get<void()>(*instance, "unreachable"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, TrapKind::kUnreachable);
  EXPECT_EQ(result.error().message, "unreachable executed in unreachable");
}

TEST_P(TrapTest, MemoryOutOfBounds) {
  EXPECT_EQ(trap_of<uint32_t>(*traps(), "load", 65533u), TrapKind::kMemoryOutOfBounds);
  EXPECT_EQ(trap_of<uint32_t>(*traps(), "load", 0xffffffffu), TrapKind::kMemoryOutOfBounds);
  EXPECT_EQ(trap_of<uint32_t>(*traps(), "far", 0xffffffffu), TrapKind::kMemoryOutOfBounds);
  EXPECT_EQ(trap_of(*traps(), "store", 65529u), TrapKind::kMemoryOutOfBounds);
  EXPECT_EQ(trap_of(*traps(), "fill", 65537u), TrapKind::kMemoryOutOfBounds);
  EXPECT_EQ(trap_of(*traps(), "copy", 65437u), TrapKind::kMemoryOutOfBounds);
}

TEST_P(TrapTest, TableOutOfBounds) {
  EXPECT_EQ(trap_of(*traps(), "table", 3u), TrapKind::kTableOutOfBounds);
  EXPECT_EQ(trap_of(*traps(), "table_copy", 3u), TrapKind::kTableOutOfBounds);
}

TEST_P(TrapTest, Arithmetic) {
  EXPECT_EQ(trap_of<uint32_t>(*traps(), "div", 0u), TrapKind::kDivideByZero);
  EXPECT_EQ(trap_of<uint32_t>(*traps(), "div", 0xffffffffu), TrapKind::kIntegerOverflow);
  EXPECT_EQ(trap_of<uint64_t>(*traps(), "rem", uint64_t{0}), TrapKind::kDivideByZero);
  EXPECT_EQ(trap_of<uint32_t>(*traps(), "trunc", 1e10), TrapKind::kIntegerOverflow);
  EXPECT_EQ(trap_of<uint32_t>(*traps(), "trunc", std::nan("")), TrapKind::kInvalidConversion);
}

TEST_P(TrapTest, IndirectCall) {
  EXPECT_EQ(trap_of(*traps(), "indirect", 0u), TrapKind::kIndirectCall) << "null";
  EXPECT_EQ(trap_of(*traps(), "indirect", 1u), TrapKind::kIndirectCall) << "another signature";
  EXPECT_EQ(trap_of(*traps(), "indirect", 7u), TrapKind::kIndirectCall) << "past the end";
}

TEST_P(TrapTest, EndlessRecursion) {
  EXPECT_EQ(trap_of<uint32_t>(*traps(), "deep", 0u), TrapKind::kStackExhausted);
}

TEST_P(TrapTest, EndlessRecursionOnASmallStackOfAnotherThread) {
  for (int i = 0; i < 3; ++i) {
    std::thread([&] { EXPECT_EQ(trap_of<uint32_t>(*traps(), "deep", 0u), TrapKind::kStackExhausted); }).join();
  }
}

TEST_P(TrapTest, EndlessRecursionThroughTheHost) {
  auto instance = traps();
  ASSERT_TRUE(instance);
  const auto deep = get<uint32_t(uint32_t)>(*instance, "deep_host");
  int depth = 0;
  env_.on_call = [&](uint32_t n) {
    ++depth;
    auto inner = instance->call(deep, n);
    return inner ? *inner : 0u;
  };
  auto result = instance->call(deep, 0u);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, TrapKind::kStackExhausted);
  EXPECT_GT(depth, 10);
}

TEST_P(TrapTest, DeepGuestThatCallsTheHostOnTheWay) {
  EXPECT_EQ(trap_of<uint32_t>(*traps(), "climb", 0u), TrapKind::kStackExhausted);
}

TEST_P(TrapTest, DeepGuestThatCallsTheRuntimeOnTheWay) {
  EXPECT_EQ(trap_of<uint32_t>(*traps(), "grow_deep", 0u), TrapKind::kStackExhausted);
  EXPECT_EQ(trap_of<uint32_t>(*traps(), "fill_deep", 0u), TrapKind::kStackExhausted);
}

TEST_P(TrapTest, EndlessLoopEndsInTime) {
  for (const char* name : {"loop", "fill_loop", "host_loop"}) {
    auto instance = hurried(load(kTraps), env_, milliseconds(40));
    ASSERT_TRUE(instance);
    const auto start = Clock::now();
    EXPECT_EQ(trap_of(*instance, name), TrapKind::kDeadlineExceeded) << name;
    EXPECT_GE(Clock::now() - start, milliseconds(35)) << name;
  }
}

TEST_P(TrapTest, GuestThatLivesInAHostCallIsEndedWhenItReturns) {
  auto instance = hurried(load(kTraps), env_, milliseconds(20));
  ASSERT_TRUE(instance);
  bool destroyed = false;
  struct Flag {
    bool* destroyed;
    ~Flag() { *destroyed = true; }
  };
  env_.on_call = [&](uint32_t) {
    const Flag flag{&destroyed};
    const auto until = Clock::now() + milliseconds(120);
    while (Clock::now() < until) {
    }
    return 5u;
  };
  EXPECT_EQ(trap_of<uint32_t>(*instance, "once"), TrapKind::kDeadlineExceeded);
  EXPECT_TRUE(destroyed);
}

TEST_P(TrapTest, ManyShortCallsDoNotAddUpToADeadline) {
  constexpr milliseconds kBudget{250};
  for (;;) {
    auto instance = hurried(load(kTraps), env_, kBudget);
    ASSERT_TRUE(instance);
    const auto once = get<uint32_t()>(*instance, "once");
    const auto until = Clock::now() + 2 * kBudget;
    auto begin = Clock::now();
    while (begin < until && instance->call(once)) begin = Clock::now();
    if (begin >= until) return;
    // The machine may have done something else for that long, in the midst of a call.
    ASSERT_GE(Clock::now() - begin, kBudget) << "a short call came to the end of its budget";
  }
}

TEST_P(TrapTest, InnerTrapUnwindsTheOuterCallAfterDestructors) {
  auto instance = traps();
  ASSERT_TRUE(instance);
  bool destroyed = false;
  TrapKind inner_kind = TrapKind::kDead;
  env_.on_call = [&](uint32_t) -> uint32_t {
    struct Flag {
      bool* destroyed;
      ~Flag() { *destroyed = true; }
    } const flag{&destroyed};
    auto inner = instance->call(get<void()>(*instance, "unreachable"));
    if (!inner) inner_kind = inner.error().kind;
    return 1;
  };
  auto outer = instance->call(get<uint32_t()>(*instance, "once"));
  ASSERT_FALSE(outer);
  EXPECT_EQ(inner_kind, TrapKind::kUnreachable);
  EXPECT_EQ(outer.error().kind, TrapKind::kUnreachable);
  EXPECT_TRUE(destroyed);
}

TEST_P(TrapTest, HostRaises) {
  auto instance = traps();
  ASSERT_TRUE(instance);
  env_.on_call = [&](uint32_t) -> uint32_t {
    instance->raise({TrapKind::kHost, "no such header map"});
    return 1;
  };
  auto result = instance->call(get<void()>(*instance, "host_loop"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, TrapKind::kHost);
  EXPECT_EQ(result.error().message, "no such header map");
  EXPECT_TRUE(instance->dead());
}

TEST_P(TrapTest, ATrapInOneInstanceLeavesTheCallerAlone) {
  auto outer = traps();
  Env inner_env;
  auto inner = Instance::create(load(kTraps), host_functions(), &inner_env, {});
  ASSERT_TRUE(outer && inner);
  env_.on_call = [&](uint32_t) -> uint32_t {
    return (*inner)->call(get<uint32_t(uint32_t)>(**inner, "load"), 0xffffffffu) ? 0 : 9;
  };
  auto result = outer->call(get<uint32_t()>(*outer, "once"));
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, 9u);
  EXPECT_TRUE((*inner)->dead());
  EXPECT_FALSE(outer->dead());
}

TEST_P(TrapTest, StartFunctionThatTrapsOrLoops) {
  auto trapping = Instance::create(load("(module (func $s (unreachable)) (start $s))"), {}, &env_, {});
  ASSERT_FALSE(trapping);
  EXPECT_EQ(trapping.error().code, ErrorCode::kTrap);
  EXPECT_EQ(trapping.error().message, "the module's start trapped: unreachable executed");
  auto looping = Instance::create(load("(module (func $s (loop $l (br $l))) (start $s))"), {}, &env_,
                                  {.call_budget = milliseconds(30)});
  ASSERT_FALSE(looping);
  EXPECT_EQ(looping.error().code, ErrorCode::kDeadlineExceeded);
}

TEST_P(TrapTest, ABudgetWithoutBoundIsNeverOver) {
  auto instance = instantiate(R"((module (func (export "spin") (param i32)
      (loop (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br_if 0 (local.get 0))))))",
                              {.call_budget = milliseconds::max()});
  EXPECT_TRUE(instance->call(get<void(uint32_t)>(*instance, "spin"), 100000u));
}

TEST_P(TrapTest, SegmentsThatDoNotFit) {
  auto data = Instance::create(load(R"((module (memory 1) (data (i32.const 65535) "ab")))"), {}, &env_, {});
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().code, ErrorCode::kTrap);
  auto elem = Instance::create(load("(module (table 1 funcref) (func $f) (elem (i32.const 1) $f))"), {}, &env_, {});
  ASSERT_FALSE(elem);
  EXPECT_EQ(elem.error().code, ErrorCode::kTrap);
}

TEST_P(TrapTest, InitialSizesOverTheLimit) {
  auto memory = Instance::create(load("(module (memory 3))"), {}, &env_, {.max_memory_bytes = 2 * 65536});
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(memory.error().message, "the module wants 196608 bytes of memory at start, the limit is 131072");
  auto table = Instance::create(load("(module (table 3 funcref))"), {}, &env_, {.max_table_elements = 2});
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().code, ErrorCode::kResourceExhausted);
}

TEST_P(TrapTest, TableGrowthStopsAtTheLimit) {
  auto instance = instantiate(R"((module (table $t 1 funcref)
    (func (export "grow") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0)))))",
                              {.max_table_elements = 10});
  ASSERT_TRUE(instance);
  const auto grow = get<uint32_t(uint32_t)>(*instance, "grow");
  EXPECT_EQ(*instance->call(grow, 8u), 1u);
  EXPECT_EQ(*instance->call(grow, 2u), 0xffffffffu);
  EXPECT_EQ(*instance->call(grow, 1u), 9u);
}

TEST_P(TrapTest, ThreadsRunAndTrapAtOnce) {
  auto module = load(kTraps);
  ASSERT_TRUE(module);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        Env env;
        const auto instance = hurried(module, env, milliseconds(i % 3 == 0 ? 15 : 60'000));
        ASSERT_TRUE(instance);
        if (i % 3 != 0) {
          ASSERT_EQ(*instance->call(get<uint32_t(uint32_t)>(*instance, "load"), 8u), 0u);
        }
        const TrapKind kind = i % 3 == 0   ? trap_of(*instance, "loop")
                              : i % 3 == 1 ? trap_of<uint32_t>(*instance, "load", 0x7fffffffu)
                                           : trap_of<uint32_t>(*instance, "deep", 0u);
        ASSERT_TRUE(kind == TrapKind::kDeadlineExceeded || kind == TrapKind::kMemoryOutOfBounds ||
                    kind == TrapKind::kStackExhausted);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(TrapTest, TrapsManyTimesOnOneThread) {
  auto module = load(kTraps);
  ASSERT_TRUE(module);
  for (int i = 0; i < 200; ++i) {
    Env env;
    auto instance = Instance::create(module, host_functions(), &env, {});
    ASSERT_TRUE(instance);
    ASSERT_EQ(trap_of<uint32_t>(**instance, "load", 0xfffffff0u), TrapKind::kMemoryOutOfBounds);
  }
}

// A fault that is no guest's must still kill the process, with our handlers in place.
TEST(FaultDeathTest, AFaultOfTheHostStaysAFault) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Env env;
        compiler::LoadOptions options;
        options.kind = EngineKind::kAot;
        options.cache_dir = shared_cache();
        auto module = compiler::load_module(wasm(R"((module (import "env" "call" (func $c (param i32) (result i32)))
                    (func (export "f") (result i32) (call $c (i32.const 1)))))"),
                                            options);
        env.on_call = [](uint32_t) -> uint32_t {
          volatile uint32_t* nowhere = reinterpret_cast<uint32_t*>(8);
          return *nowhere;
        };
        auto instance = Instance::create(*module, host_functions(), &env, {});
        auto function = (*instance)->function<uint32_t()>("f");
        if ((*instance)->call(*function)) std::exit(0);
        std::exit(0);
      },
      "");
}

}  // namespace
}  // namespace inlay::engine
