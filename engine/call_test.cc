// SPDX-License-Identifier: Apache-2.0
// Calls in both directions, values, memory, lookups.
#include "engine/engine_fixture.h"

namespace inlay::engine {
namespace {

class CallTest : public EngineTest {};
INSTANTIATE_TEST_SUITE_P(Engines, CallTest, testing::Values(EngineKind::kAot, EngineKind::kInterp), engine_name);

TEST_P(CallTest, AddsNumbersOfEachType) {
  auto instance = instantiate(R"((module
    (func (export "i32") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "i64") (param i64 i64) (result i64) (i64.mul (local.get 0) (local.get 1)))
    (func (export "f32") (param f32) (result f32) (f32.sqrt (local.get 0)))
    (func (export "f64") (param f64 i32) (result f64) (f64.add (local.get 0) (f64.convert_i32_s (local.get 1))))
    (func (export "sign") (param i32) (result i32) (i32.extend8_s (local.get 0)))
    (func (export "sat") (param f32) (result i32) (i32.trunc_sat_f32_s (local.get 0)))))");
  ASSERT_TRUE(instance);
  EXPECT_EQ(*instance->call(get<uint32_t(uint32_t, uint32_t)>(*instance, "i32"), 4000000000u, 500000000u), 205032704u);
  EXPECT_EQ(*instance->call(get<uint64_t(uint64_t, uint64_t)>(*instance, "i64"), 1ull << 40, 3u), 3ull << 40);
  EXPECT_EQ(*instance->call(get<float(float)>(*instance, "f32"), 2.25f), 1.5f);
  EXPECT_EQ(*instance->call(get<double(double, uint32_t)>(*instance, "f64"), 0.5, static_cast<uint32_t>(-2)), -1.5);
  EXPECT_EQ(*instance->call(get<uint32_t(uint32_t)>(*instance, "sign"), 0x80u), 0xffffff80u);
  EXPECT_EQ(*instance->call(get<uint32_t(float)>(*instance, "sat"), 1e20f), 0x7fffffffu);
}

TEST_P(CallTest, CallsTheHostWithEachType) {
  auto instance = instantiate(R"((module
    (import "env" "log" (func $log (param i32 i64)))
    (import "env" "mix" (func $mix (param i32 i64 f32 f64) (result f64)))
    (import "env" "half" (func $half (param f32) (result f32)))
    (import "env" "twice" (func $twice (param i64) (result i64)))
    (func (export "run") (result f64)
      (call $log (i32.const 7) (i64.const 12345678901))
      (call $log (call $add (i32.const 1)) (call $twice (i64.const 4294967296)))
      (call $mix (i32.const 1) (i64.const 2) (call $half (f32.const 3)) (f64.const 0.25)))
    (func $add (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))))");
  ASSERT_TRUE(instance);
  auto sum = instance->call(get<double()>(*instance, "run"));
  ASSERT_TRUE(sum);
  EXPECT_EQ(*sum, 4.75);
  EXPECT_EQ(env_.log, (std::vector<std::string>{"7,12345678901", "2,8589934592"}));
}

TEST_P(CallTest, CallsThroughATableReachHostAndGuest) {
  auto instance = instantiate(R"((module
    (type $t (func (param i32) (result i32)))
    (import "env" "call" (func $call (type $t)))
    (table funcref (elem $call $inc))
    (func $inc (type $t) (i32.add (local.get 0) (i32.const 1)))
    (func (export "run") (param i32 i32) (result i32) (call_indirect (type $t) (local.get 0) (local.get 1)))))");
  ASSERT_TRUE(instance);
  env_.on_call = [](uint32_t a) { return a * 10; };
  const auto run = get<uint32_t(uint32_t, uint32_t)>(*instance, "run");
  EXPECT_EQ(*instance->call(run, 5u, 0u), 50u);
  EXPECT_EQ(*instance->call(run, 5u, 1u), 6u);
}

TEST_P(CallTest, MemoryIsSharedAndGrows) {
  auto instance = instantiate(R"((module
    (memory (export "memory") 1)
    (data (i32.const 16) "hello")
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "get") (param i32) (result i32) (i32.load8_u (local.get 0)))))",
                              {.max_memory_bytes = 4 * 65536});
  ASSERT_TRUE(instance);
  ASSERT_EQ(instance->memory().size(), 65536u);
  EXPECT_EQ(std::string_view(reinterpret_cast<char*>(instance->memory().data()) + 16, 5), "hello");
  instance->memory()[100] = 42;
  const auto grow = get<uint32_t(uint32_t)>(*instance, "grow");
  const auto byte = get<uint32_t(uint32_t)>(*instance, "get");
  EXPECT_EQ(*instance->call(byte, 100u), 42u);
  EXPECT_EQ(*instance->call(grow, 2u), 1u);
  ASSERT_EQ(instance->memory().size(), 3u * 65536);
  instance->memory()[3 * 65536 - 1] = 9;
  EXPECT_EQ(*instance->call(byte, 3 * 65536u - 1), 9u);
  EXPECT_EQ(*instance->call(byte, 100u), 42u);
  EXPECT_EQ(*instance->call(grow, 2u), 0xffffffffu) << "past the limit";
  EXPECT_EQ(*instance->call(grow, 1u), 3u);
  EXPECT_EQ(*instance->call(grow, 1u), 0xffffffffu);
  EXPECT_EQ(*instance->call(grow, 0xffffffffu), 0xffffffffu);
}

TEST_P(CallTest, HostSeesMemoryThatGrewDuringTheCall) {
  auto instance = instantiate(R"((module
    (import "env" "call" (func $call (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "run") (result i32)
      (drop (memory.grow (i32.const 1)))
      (i32.store (i32.const 70000) (i32.const 77))
      (call $call (i32.const 70000)))))");
  ASSERT_TRUE(instance);
  env_.on_call = [this](uint32_t at) -> uint32_t {
    const auto memory = env_.instance->memory();
    return at < memory.size() ? memory[at] : 0;
  };
  EXPECT_EQ(*instance->call(get<uint32_t()>(*instance, "run")), 77u);
}

TEST_P(CallTest, ModuleWithoutMemoryHasAnEmptySpan) {
  auto instance = instantiate(R"((module (func (export "f"))))");
  ASSERT_TRUE(instance);
  EXPECT_TRUE(instance->memory().empty());
  EXPECT_TRUE(instance->call(get<void()>(*instance, "f")));
}

TEST_P(CallTest, LooksExportsUp) {
  auto instance = instantiate(R"((module
    (memory (export "memory") 1)
    (func (export "f") (param i32) (result i64) (i64.const 1))))");
  ASSERT_TRUE(instance);
  auto absent = instance->function<void()>("g");
  ASSERT_TRUE(absent);
  EXPECT_FALSE(*absent);
  auto other = instance->function<uint32_t(uint32_t)>("f");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(other.error().to_string(), "f: the export is (i32) -> i64, expected (i32) -> i32");
  auto memory = instance->function<void()>("memory");
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().to_string(), "memory: the export is a memory, expected a function () -> ()");
}

TEST_P(CallTest, DescribesImportsAndExports) {
  auto module = load(R"((module
    (import "env" "log" (func (param i32 i64)))
    (table (export "t") 1 funcref)
    (global (export "g") i32 (i32.const 1))
    (func (export "two */ lines\n\"") (result i32 f64) (i32.const 1) (f64.const 2))))");
  ASSERT_TRUE(module);
  EXPECT_EQ(module->kind(), GetParam());
  EXPECT_EQ(module->fallback_reason(), "");
  ASSERT_EQ(module->imports().size(), 1u);
  EXPECT_EQ(module->imports()[0].type.to_string(), "(i32, i64) -> ()");
  ASSERT_EQ(module->exports().size(), 3u);
  EXPECT_EQ(module->find_export("t")->kind, ExternKind::kTable);
  EXPECT_EQ(module->find_export("g")->kind, ExternKind::kGlobal);
  ASSERT_NE(module->find_export("two */ lines\n\""), nullptr);
  EXPECT_EQ(module->find_export("two */ lines\n\"")->type.to_string(), "() -> (i32, f64)");
  EXPECT_EQ(module->find_export("x"), nullptr);
}

TEST_P(CallTest, NamesEveryMissingAndMismatchedImport) {
  auto module = load(R"((module
    (import "env" "nothing" (func (param f32)))
    (import "env" "log" (func (param i32) (result i32)))
    (import "env" "call" (func (param i32) (result i32)))))");
  ASSERT_TRUE(module);
  auto instance = Instance::create(module, host_functions(), &env_, {});
  ASSERT_FALSE(instance);
  EXPECT_EQ(instance.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(instance.error().message,
            "the module imports what this host does not have: env.nothing (f32) -> () (unknown); "
            "env.log (i32) -> i32 (is (i32, i64) -> ())");
}

TEST_P(CallTest, TheSameImportMayBeImportedTwice) {
  auto instance = instantiate(R"((module
    (import "env" "call" (func $a (param i32) (result i32)))
    (import "env" "call" (func $b (param i32) (result i32)))
    (export "again" (func $b))
    (func (export "run") (result i32) (i32.add (call $a (i32.const 1)) (call $b (i32.const 2))))))");
  ASSERT_TRUE(instance);
  EXPECT_EQ(*instance->call(get<uint32_t()>(*instance, "run")), 3u);
  EXPECT_EQ(*instance->call(get<uint32_t(uint32_t)>(*instance, "again"), 8u), 8u);
}

TEST_P(CallTest, RunsTheStartFunction) {
  auto instance = instantiate(R"((module
    (import "env" "log" (func $log (param i32 i64)))
    (func $start (call $log (i32.const 1) (i64.const 2)))
    (start $start)))");
  ASSERT_TRUE(instance);
  EXPECT_EQ(env_.log, std::vector<std::string>{"1,2"});
}

TEST_P(CallTest, InstancesAreIsolated) {
  auto module = load(R"((module
    (memory (export "memory") 1)
    (global $g (mut i32) (i32.const 0))
    (func (export "next") (result i32)
      (global.set $g (i32.add (global.get $g) (i32.const 1)))
      (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
      (i32.add (global.get $g) (i32.load (i32.const 0))))))");
  auto a = instantiate(module);
  auto b = instantiate(module);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(*a->call(get<uint32_t()>(*a, "next")), 2u);
  EXPECT_EQ(*a->call(get<uint32_t()>(*a, "next")), 4u);
  EXPECT_EQ(*b->call(get<uint32_t()>(*b, "next")), 2u);
}

TEST_P(CallTest, HostMayCallBack) {
  auto instance = instantiate(R"((module
    (import "env" "call" (func $call (param i32) (result i32)))
    (func (export "fib") (param i32) (result i32)
      (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
        (else (i32.add (call $call (i32.sub (local.get 0) (i32.const 1)))
                       (call $call (i32.sub (local.get 0) (i32.const 2)))))))))");
  ASSERT_TRUE(instance);
  const auto fib = get<uint32_t(uint32_t)>(*instance, "fib");
  env_.on_call = [&](uint32_t n) { return *instance->call(fib, n); };
  EXPECT_EQ(*instance->call(fib, 15u), 610u);
}

TEST_P(CallTest, TryCallGivesTheValueOrTheTrap) {
  auto instance = instantiate(R"((module
    (func (export "half") (param i64) (result i64)
      (if (i64.eqz (local.get 0)) (then unreachable)) (i64.shr_u (local.get 0) (i64.const 1)))
    (func (export "nothing"))))");
  ASSERT_TRUE(instance);
  const auto half = get<uint64_t(uint64_t)>(*instance, "half");
  const auto nothing = get<void()>(*instance, "nothing");
  const auto answer = instance->try_call(half, uint64_t{1} << 40);
  ASSERT_TRUE(answer);
  EXPECT_EQ(*answer, uint64_t{1} << 39);
  EXPECT_TRUE(instance->try_call(nothing));
  EXPECT_FALSE(instance->try_call(half, uint64_t{0}));
  EXPECT_EQ(instance->take_trap().kind, TrapKind::kUnreachable);
  EXPECT_FALSE(instance->try_call(nothing));
  EXPECT_EQ(instance->take_trap().kind, TrapKind::kDead);
}

}  // namespace
}  // namespace inlay::engine
