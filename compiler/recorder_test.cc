// SPDX-License-Identifier: Apache-2.0
#include "compiler/recorder.h"

#include <gtest/gtest.h>

#include <array>

#include "compiler/wat.h"
#include "engine/engine.h"

namespace inlay::compiler {
namespace {

// Two counters of its own as its last globals; "twice" calls the host, which calls "once".
constexpr std::string_view kText = R"((module
  (import "env" "back" (func $back (param i32)))
  (import "env" "other" (func $other))
  (global $before (mut i32) (i32.const 7))
  (global $one (mut i64) (i64.const 0))
  (global $two (mut i64) (i64.const 0))
  (func (export "once") (global.set $one (i64.add (global.get $one) (i64.const 1))))
  (func (export "twice") (global.set $two (i64.add (global.get $two) (i64.const 1))) (call $back (i32.const 2)))
  (func (export "traps") (global.set $two (i64.const 1000)) (unreachable))))";

struct Env {
  engine::Instance* instance = nullptr;
  engine::Function<void()> once;
};
void back(Env* env, uint32_t times) {
  for (uint32_t i = 0; i < times; ++i) EXPECT_TRUE(env->instance->call(env->once));
}
void other(Env*) {}

struct RecorderTest : testing::Test {
  std::unique_ptr<engine::Instance> instantiate() {
    static const std::array kImports = {engine::host_function<&back>("env", "back"),
                                        engine::host_function<&other>("env", "other")};
    auto bytes = wat_to_wasm(kText);
    auto code = RecordableCode::load(*bytes);
    EXPECT_TRUE(code) << code.error().to_string();
    auto instance = engine::Instance::create((*code)->module(recorder), kImports, &env, {});
    EXPECT_TRUE(instance) << instance.error().to_string();
    env = {instance->get(), *(*instance)->function<void()>("once")};
    return *std::move(instance);
  }
  Env env;
  const std::shared_ptr<Recorder> recorder = std::make_shared<Recorder>();
};

TEST_F(RecorderTest, CountsCallsOfBothSides) {
  const auto instance = instantiate();
  ASSERT_TRUE(instance->call(*instance->function<void()>("twice")));
  EXPECT_EQ(recorder->exports, (std::vector<uint64_t>{2, 1, 0}));
  EXPECT_EQ(recorder->imports, (std::vector<uint64_t>{1, 0}));
  EXPECT_GT(recorder->in_guest.count(), 0);
  EXPECT_GT(recorder->in_host.count(), 0);
}

TEST_F(RecorderTest, AddsUpTheGlobalsOfInstancesThatEnd) {
  recorder->globals.resize(2);
  for (int i = 0; i < 3; ++i) {
    const auto instance = instantiate();
    ASSERT_TRUE(instance->call(*instance->function<void()>("twice")));
    EXPECT_EQ(recorder->globals[1], static_cast<uint64_t>(i)) << "of those before it";
  }
  EXPECT_EQ(recorder->globals, (std::vector<uint64_t>{6, 3}));
}

TEST_F(RecorderTest, GlobalsOfADeadInstanceCount) {
  recorder->globals.resize(1);
  {
    const auto instance = instantiate();
    ASSERT_FALSE(instance->call(*instance->function<void()>("traps")));
  }
  EXPECT_EQ(recorder->globals, (std::vector<uint64_t>{1000}));
}

TEST_F(RecorderTest, NothingIsNoModule) {
  EXPECT_FALSE(RecordableCode::load({}));
}

}  // namespace
}  // namespace inlay::compiler
