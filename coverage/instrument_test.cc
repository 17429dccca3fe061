// SPDX-License-Identifier: Apache-2.0
#include "coverage/instrument.h"

#include <gtest/gtest.h>

#include "compiler/recorder.h"
#include "compiler/wat.h"
#include "engine/engine.h"

namespace inlay::coverage {
namespace {

std::vector<uint8_t> wasm(std::string_view text) {
  auto bytes = compiler::wat_to_wasm(text);
  EXPECT_TRUE(bytes) << bytes.error().to_string();
  return *std::move(bytes);
}

constexpr std::string_view kModule = R"((module
  (memory (export "memory") 1)
  (global $g (mut i32) (i32.const 5))
  (func $leaf (local i64 i32 i32) (global.set $g (i32.add (global.get $g) (i32.const 1))))
  (func (export "run") (param i32) (result i32)
    (loop (call $leaf) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (global.get $g))
  (func $never)))";

// What the counters come to when "run" is called with `argument`; its answer.
uint32_t run(const std::vector<uint8_t>& module, size_t counters, uint32_t argument, std::vector<uint64_t>& counted) {
  const auto recorder = std::make_shared<compiler::Recorder>();
  recorder->globals.resize(counters);
  const auto code = compiler::RecordableCode::load(module);
  EXPECT_TRUE(code) << code.error().to_string();
  uint32_t answer = 0;
  {
    auto instance = engine::Instance::create((*code)->module(recorder), {}, nullptr, {});
    const auto function = (*instance)->function<uint32_t(uint32_t)>("run");
    const auto called = (*instance)->call(*function, argument);
    EXPECT_TRUE(called);
    answer = *called;
  }
  counted = recorder->globals;
  return answer;
}

TEST(Instrument, CountsTheCallsOfEachFunction) {
  const auto module = wasm(kModule);
  const auto entries = function_entries(module);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 3u);
  const auto counting = with_counters(module, *entries);
  ASSERT_TRUE(counting) << counting.error().to_string();
  std::vector<uint64_t> counted;
  EXPECT_EQ(run(*counting, 3, 10, counted), 15u) << "what the module does is what it did";
  EXPECT_EQ(counted, (std::vector<uint64_t>{10, 1, 0}));
}

TEST(Instrument, AModuleWithoutGlobalsGetsSome) {
  for (const char* text : {R"((module (func (export "run") (param i32) (result i32) (local.get 0))))",
                           R"((module (func $f (export "run") (param i32) (result i32) (local.get 0))
                                (table 1 funcref) (elem (i32.const 0) $f) (memory 1) (data (i32.const 0) "x")))",
                           R"((module (func $s) (start $s) (func (export "run") (param i32) (result i32)
                                (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)) (local.get 0))
                                (memory 1) (data $d "x")))"}) {
    const auto module = wasm(text);
    const auto entries = function_entries(module);
    const auto counting = with_counters(module, *entries);
    ASSERT_TRUE(counting) << text;
    std::vector<uint64_t> counted;
    EXPECT_EQ(run(*counting, entries->size(), 3, counted), 3u);
    for (const uint64_t count : counted) EXPECT_EQ(count, 1u) << text;
  }
}

TEST(Instrument, PlacesInTheMiddleCountWhatComesBy) {
  const auto module = wasm(kModule);
  const auto entries = *function_entries(module);
  // loop and its block type are two bytes.
  const std::vector<size_t> places = {entries[1], entries[1] + 2};
  const auto counting = with_counters(module, places);
  ASSERT_TRUE(counting) << counting.error().to_string();
  std::vector<uint64_t> counted;
  run(*counting, 2, 10, counted);
  EXPECT_EQ(counted, (std::vector<uint64_t>{1, 10}));
}

TEST(Instrument, ManyFunctionsNeedLongerNumbers) {
  std::string text = "(module ";
  for (int i = 0; i < 300; ++i) text += "(func $f" + std::to_string(i) + ")";
  text += "(func (export \"run\") (param i32) (result i32) (call $f299) (local.get 0)))";
  const auto module = wasm(text);
  const auto counting = with_counters(module, *function_entries(module));
  ASSERT_TRUE(counting);
  std::vector<uint64_t> counted;
  run(*counting, 301, 1, counted);
  EXPECT_EQ(counted[298], 0u);
  EXPECT_EQ(counted[299], 1u);
  EXPECT_EQ(counted[300], 1u);
}

TEST(Instrument, WhatIsNoModuleIsAnError) {
  EXPECT_FALSE(function_entries({}));
  const std::vector<uint8_t> wrong = {0, 'a', 's', 'm', 1, 0, 0, 0, 10, 200};
  EXPECT_FALSE(function_entries(wrong));
  EXPECT_FALSE(with_counters(wrong, {}));
  const auto module = wasm(kModule);
  const std::vector<size_t> nowhere = {module.size() + 1};
  EXPECT_FALSE(with_counters(module, nowhere));
}

}  // namespace
}  // namespace inlay::coverage
