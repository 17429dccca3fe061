// SPDX-License-Identifier: Apache-2.0
// What WebAssembly 2.0 adds to 1.0. Each generation of wasm2c asks other things of our runtime header for it.
#include <cmath>
#include <limits>

#include "engine/engine_fixture.h"

namespace inlay::compiler {
namespace {

using namespace engine;

class FeaturesTest : public EngineTest {
 protected:
  // What an export that takes and returns i32 gives.
  template <class... A>
  uint32_t run(Instance& instance, std::string_view name, A... args) {
    auto result = instance.call(get<uint32_t(A...)>(instance, name), args...);
    EXPECT_TRUE(result) << name << ": " << result.error().message;
    return result ? *result : 0xdeadbeef;
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, FeaturesTest, testing::Values(EngineKind::kAot, EngineKind::kInterp), engine_name);

TEST_P(FeaturesTest, BulkMemory) {
  auto instance = instantiate(R"((module
    (memory (export "memory") 1)
    (data $passive "abcdef")
    (data (i32.const 100) "xyz")
    (func (export "init") (param i32 i32 i32) (memory.init $passive (local.get 0) (local.get 1) (local.get 2)))
    (func (export "drop") (data.drop $passive))
    (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
    (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))))");
  ASSERT_TRUE(instance);
  using Three = void(uint32_t, uint32_t, uint32_t);
  const auto text = [&](size_t at, size_t size) {
    return std::string(reinterpret_cast<const char*>(instance->memory().data()) + at, size);
  };
  ASSERT_TRUE(instance->call(get<Three>(*instance, "init"), 0u, 2u, 4u));
  EXPECT_EQ(text(0, 4), "cdef");
  ASSERT_TRUE(instance->call(get<Three>(*instance, "copy"), 1u, 0u, 4u));
  EXPECT_EQ(text(0, 5), "ccdef") << "source and target overlap";
  ASSERT_TRUE(instance->call(get<Three>(*instance, "fill"), 3u, 0x141u, 2u));
  EXPECT_EQ(text(0, 6), std::string("ccdAA\0", 6)) << "the low byte counts";
  ASSERT_TRUE(instance->call(get<void()>(*instance, "drop")));
  ASSERT_TRUE(instance->call(get<Three>(*instance, "init"), 0u, 0u, 0u)) << "nothing may be taken of nothing";
  EXPECT_EQ(trap_of(*instance, "init", 0u, 0u, 1u), TrapKind::kMemoryOutOfBounds);
}

TEST_P(FeaturesTest, FunctionTables) {
  auto instance = instantiate(R"((module
    (type $f (func (result i32)))
    (import "env" "call" (func $call (param i32) (result i32)))
    (table $t 4 8 funcref)
    (table $u 2 2 funcref)
    (elem $passive func $one $two $call)
    (elem (table $u) (i32.const 0) func $two $one)
    (elem declare func $three)
    (global $g (mut funcref) (ref.null func))
    (func $one (type $f) (i32.const 1))
    (func $two (type $f) (i32.const 2))
    (func $three (type $f) (i32.const 3))
    (func (export "init") (result i32) (table.init $t $passive (i32.const 0) (i32.const 0) (i32.const 2)) (i32.const 0))
    (func (export "drop") (result i32) (elem.drop $passive) (i32.const 0))
    (func (export "call") (param i32) (result i32) (call_indirect $t (type $f) (local.get 0)))
    (func (export "copy") (result i32) (table.copy $t $u (i32.const 2) (i32.const 0) (i32.const 2)) (i32.const 0))
    (func (export "set") (result i32)
      (global.set $g (ref.func $three)) (table.set $t (i32.const 0) (global.get $g)) (i32.const 0))
    (func (export "move") (result i32) (table.set $t (i32.const 1) (table.get $t (i32.const 0))) (i32.const 0))
    (func (export "null") (param i32) (result i32) (ref.is_null (table.get $t (local.get 0))))
    (func (export "grow") (param i32) (result i32) (table.grow $t (ref.func $three) (local.get 0)))
    (func (export "fill") (result i32) (table.fill $t (i32.const 2) (ref.func $one) (i32.const 3)) (i32.const 0))
    (func (export "size") (result i32) (table.size $t))))");
  ASSERT_TRUE(instance);
  EXPECT_EQ(run(*instance, "null", 0u), 1u);
  run(*instance, "init");
  EXPECT_EQ(run(*instance, "null", 0u), 0u);
  EXPECT_EQ(run(*instance, "call", 0u), 1u);
  EXPECT_EQ(run(*instance, "call", 1u), 2u);
  run(*instance, "drop");
  run(*instance, "copy");
  EXPECT_EQ(run(*instance, "call", 2u), 2u);
  EXPECT_EQ(run(*instance, "call", 3u), 1u);
  run(*instance, "set");
  run(*instance, "move");
  EXPECT_EQ(run(*instance, "call", 1u), 3u);
  EXPECT_EQ(run(*instance, "grow", 2u), 4u);
  EXPECT_EQ(run(*instance, "size"), 6u);
  EXPECT_EQ(run(*instance, "call", 5u), 3u);
  run(*instance, "fill");
  EXPECT_EQ(run(*instance, "call", 4u), 1u);
  EXPECT_EQ(run(*instance, "grow", 3u), 0xffffffffu) << "past the table's own maximum";
  EXPECT_EQ(trap_of<uint32_t>(*instance, "init"), TrapKind::kTableOutOfBounds) << "the segment is dropped";
}

TEST_P(FeaturesTest, TablesOfExternalReferences) {
  auto instance = instantiate(R"((module
    (table $t 2 4 externref)
    (func (export "null") (param i32) (result i32) (ref.is_null (table.get $t (local.get 0))))
    (func (export "set") (param i32) (result i32) (table.set $t (local.get 0) (ref.null extern)) (i32.const 0))
    (func (export "grow") (param i32) (result i32) (table.grow $t (ref.null extern) (local.get 0)))
    (func (export "fill") (result i32)
      (table.fill $t (i32.const 0) (ref.null extern) (i32.const 3)) (table.size $t))))");
  ASSERT_TRUE(instance);
  EXPECT_EQ(run(*instance, "null", 1u), 1u);
  EXPECT_EQ(run(*instance, "grow", 1u), 2u);
  EXPECT_EQ(run(*instance, "grow", 2u), 0xffffffffu);
  EXPECT_EQ(run(*instance, "set", 2u), 0u);
  EXPECT_EQ(run(*instance, "fill"), 3u);
  EXPECT_EQ(trap_of<uint32_t>(*instance, "null", 3u), TrapKind::kTableOutOfBounds);
}

// A call through a table compares signatures, not the numbers that a module gives them.
TEST_P(FeaturesTest, SignaturesAreComparedByStructure) {
  auto module = load(R"((module
    (type $a (func (param i32) (result i32)))
    (type $wide (func (param i64) (result i32)))
    (type $same (func (param i32) (result i32)))
    (type $two (func (param i32 i32)))
    (type $results (func (param i32) (result i32 i32)))
    (table funcref (elem $inc))
    (func $inc (type $a) (i32.add (local.get 0) (i32.const 1)))
    (func (export "same") (result i32) (call_indirect (type $same) (i32.const 4) (i32.const 0)))
    (func (export "wide") (result i32) (call_indirect (type $wide) (i64.const 4) (i32.const 0)))
    (func (export "two") (result i32)
      (call_indirect (type $two) (i32.const 4) (i32.const 4) (i32.const 0)) (i32.const 0))
    (func (export "results") (result i32)
      (call_indirect (type $results) (i32.const 4) (i32.const 0)) (i32.add))))");
  auto instance = instantiate(module);
  ASSERT_TRUE(instance);
  EXPECT_EQ(run(*instance, "same"), 5u);
  for (const std::string_view name : {"wide", "two", "results"}) {
    auto other = instantiate(module);
    ASSERT_TRUE(other);
    EXPECT_EQ(trap_of<uint32_t>(*other, name), TrapKind::kIndirectCall) << name;
  }
}

TEST_P(FeaturesTest, MultipleValues) {
  auto instance = instantiate(R"((module
    (func $swap (param i32 i64 f32) (result f32 i64 i32) (local.get 2) (local.get 1) (local.get 0))
    (func (export "run") (param i32 i32) (result i32) (local f32 i64 i32)
      (call $swap (local.get 0) (i64.const 5) (f32.const 2))
      (local.set 4) (local.set 3) (local.set 2)
      (block $b (result i32 i32)
        (local.get 4) (i32.wrap_i64 (local.get 3))
        (br_if $b (local.get 1))
        (drop) (drop) (i32.const 1000) (i32.const 1))
      (i32.sub)
      (i32.add (i32.trunc_f32_u (local.get 2))))))");
  ASSERT_TRUE(instance);
  EXPECT_EQ(run(*instance, "run", 50u, 1u), 47u);
  EXPECT_EQ(run(*instance, "run", 50u, 0u), 1001u);
}

TEST_P(FeaturesTest, FloatingPointIsWebAssemblys) {
  auto instance = instantiate(R"((module
    (func (export "min") (param f64 f64) (result f64) (f64.min (local.get 0) (local.get 1)))
    (func (export "max") (param f64 f64) (result f64) (f64.max (local.get 0) (local.get 1)))
    (func (export "nearest") (param f64) (result f64) (f64.nearest (local.get 0)))
    (func (export "bits") (param i32) (result i32) (i32.reinterpret_f32 (f32.reinterpret_i32 (local.get 0))))
    (func (export "demote") (param f64) (result f32) (f32.demote_f64 (local.get 0)))
    (func (export "not_fused") (param f64 f64 f64) (result f64)
      (f64.add (f64.mul (local.get 0) (local.get 1)) (local.get 2)))))");
  ASSERT_TRUE(instance);
  using Two = double(double, double);
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::signbit(*instance->call(get<Two>(*instance, "min"), 0.0, -0.0)));
  EXPECT_FALSE(std::signbit(*instance->call(get<Two>(*instance, "max"), -0.0, 0.0)));
  EXPECT_TRUE(std::isnan(*instance->call(get<Two>(*instance, "min"), kNan, 1.0)));
  EXPECT_TRUE(std::isnan(*instance->call(get<Two>(*instance, "max"), 1.0, kNan)));
  EXPECT_EQ(*instance->call(get<double(double)>(*instance, "nearest"), 2.5), 2.0);
  EXPECT_EQ(run(*instance, "bits", 0x7fa00001u), 0x7fa00001u) << "a signalling NaN keeps its bits";
  EXPECT_EQ(*instance->call(get<float(double)>(*instance, "demote"), 1e300), std::numeric_limits<float>::infinity());
  constexpr double kNearOne = 1.0 + 0x1p-30;
  EXPECT_EQ(*instance->call(get<double(double, double, double)>(*instance, "not_fused"), kNearOne, kNearOne, -1.0),
            0x1p-29);
}

}  // namespace
}  // namespace inlay::compiler
