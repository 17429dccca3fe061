// SPDX-License-Identifier: Apache-2.0
#include "compiler/interp/code_offsets.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "compiler/compiler.h"
#include "compiler/wat.h"

namespace inlay::compiler::interp {
namespace {

// Each kind of control, calls of an import and of a function before the ones that count, and code that never runs.
constexpr std::string_view kDeep = R"((module
  (import "e" "f" (func $import (result i32)))
  (memory 1)
  (func $trap (param i32) (result i32)
    (block $out (block $in (br_table $in $out (local.get 0))) (drop (i32.load (i32.const 0))))
    (if (local.get 0) (then (drop (call $import)) (return (i32.const 1))) (else (nop)))
    (loop $again (br_if $again (i32.const 0)))
    (drop (i32.load (i32.const 4)))
    (select (i32.const 1) (i32.const 2) (call $import))
    (drop)
    (i32.load (i32.const 65536)))
  (func (export "run") (result i32)
    (drop (call $import))
    (block (br 0) (drop (call $trap (i32.const 1))))
    (call $trap (i32.const 0))))
)";

uint32_t nothing(void*) {
  return 0;
}

std::string backtrace_of(const std::vector<uint8_t>& bytes) {
  LoadOptions options;
  options.kind = engine::EngineKind::kInterp;
  const auto module = load_module(bytes, options);
  if (!module) return module.error().to_string();
  const std::array imports = {engine::host_function<&nothing>("e", "f")};
  const auto instance = engine::Instance::create(*module, imports, nullptr, engine::Limits{});
  if (!instance) return instance.error().to_string();
  const auto run = (*instance)->function<uint32_t()>("run");
  const auto result = (*instance)->call(*run);
  return result ? "no trap" : result.error().backtrace;
}

TEST(CodeOffsets, AreThoseOfTheInstructionsThatRan) {
  auto bytes = wat_to_wasm(kDeep);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(backtrace_of(*bytes), "  0: function 1\n  1: function 2");
  for (const char c : std::string("\0\x0c\x0b.debug_line", 14)) bytes->push_back(static_cast<uint8_t>(c));
  const std::string backtrace = backtrace_of(*bytes);
  ASSERT_NE(backtrace.find("0: function 1 @ 0x"), std::string::npos) << backtrace;
  const size_t load = std::strtoul(backtrace.c_str() + backtrace.find("0x"), nullptr, 16);
  const size_t call = std::strtoul(backtrace.c_str() + backtrace.rfind("0x"), nullptr, 16);
  ASSERT_LT(call + 3, bytes->size());
  // The last instruction of each: i32.load without an offset, call 1; then end.
  EXPECT_EQ(std::vector<uint8_t>(bytes->data() + load, bytes->data() + load + 4),
            (std::vector<uint8_t>{0x28, 2, 0, 11}));
  EXPECT_EQ(std::vector<uint8_t>(bytes->data() + call, bytes->data() + call + 3), (std::vector<uint8_t>{0x10, 1, 11}));
}

TEST(CodeOffsets, AreKeptOfModulesWithDwarfAlone) {
  const auto bytes = wat_to_wasm(kDeep);
  const CodeOffsets without(bytes->data(), bytes->size());
  EXPECT_FALSE(without.known());
  EXPECT_EQ(without.find({{1, 0, 0}, {}}), (std::vector<uint32_t>{0, 0}));
}

}  // namespace
}  // namespace inlay::compiler::interp
