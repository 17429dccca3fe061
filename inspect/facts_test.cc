// SPDX-License-Identifier: Apache-2.0
#include "inspect/facts.h"

#include <algorithm>

#include "abi/functions.h"
#include "inspect/families.h"
#include "inspect/inspect_fixture.h"

namespace inlay::inspect {
namespace {

Facts facts_of(const std::vector<uint8_t>& module) {
  auto facts = examine(module);
  EXPECT_TRUE(facts) << facts.error().to_string();
  return facts ? *std::move(facts) : Facts{};
}

TEST(Facts, AProxyWasmModule) {
  const Facts facts = facts_of(wasm(kSmallProxy));
  EXPECT_TRUE(facts.runs());
  EXPECT_EQ(facts.abi_version, "0.2.1");
  EXPECT_EQ(facts.entry, std::vector<std::string>{"_initialize"});
  EXPECT_EQ(facts.allocator, "malloc");
  EXPECT_EQ(facts.not_for_aot, "");
  EXPECT_EQ(facts.unknown_exports, std::vector<std::string>{"proxy_on_nothing_known"});
  EXPECT_EQ(facts.other_exports, std::vector<std::string>{"helper"});
  EXPECT_EQ(facts.capabilities,
            (std::vector<std::string>{"proxy_grpc_cancel", "proxy_log", "proxy_on_configure", "proxy_on_grpc_close"}));
}

TEST(Facts, WhatTheHostDoesWithEach) {
  const Facts facts = facts_of(wasm(kSmallProxy));
  ASSERT_EQ(facts.functions.size(), 3u);
  EXPECT_EQ(facts.functions[0].family, "log");
  EXPECT_EQ(facts.functions[0].support, host::Support::kFull);
  EXPECT_EQ(facts.functions[1].support, host::Support::kFull);
  EXPECT_EQ(facts.functions[2].support, host::Support::kNosys);
  EXPECT_EQ(facts.functions[2].family, "wasi");
  ASSERT_EQ(facts.callbacks.size(), 2u);
  EXPECT_EQ(facts.callbacks[0].name, "proxy_on_configure");
  EXPECT_TRUE(facts.callbacks[0].called);
  EXPECT_EQ(facts.callbacks[1].name, "proxy_on_grpc_close");
  EXPECT_TRUE(facts.callbacks[1].called);
}

TEST(Facts, AModuleThatIsNoProxyWasmModule) {
  const Facts facts = facts_of(wasm(R"((module (import "env" "other" (func)) (func (export "_start"))))"));
  EXPECT_FALSE(facts.runs());
  EXPECT_EQ(facts.abi_version, "");
  EXPECT_EQ(facts.entry, std::vector<std::string>{"_start"});
  EXPECT_EQ(facts.allocator, "");
  EXPECT_EQ(facts.functions.at(0).support, host::Support::kAbsent);
  EXPECT_EQ(facts.faults.size(), 4u);  // marker, memory, allocator, import
}

TEST(Facts, EntryPoints) {
  EXPECT_TRUE(facts_of(wasm("(module)")).entry.empty());
  EXPECT_EQ(facts_of(wasm(R"((module (func (export "_start")) (func (export "_initialize"))))")).entry,
            std::vector<std::string>{"_initialize"});
  EXPECT_EQ(
      facts_of(wasm(R"((module (func (export "main") (result i32) (i32.const 0)) (func (export "_initialize"))))"))
          .entry,
      (std::vector<std::string>{"_initialize", "main"}));
}

TEST(Facts, LargestFunctionsWithTheirNames) {
  auto module = wasm(kSmallProxy);
  module = with_custom(module, "name", std::string("\x01\x09\x01\x03\x06marker", 11));
  const Facts facts = facts_of(module);
  ASSERT_EQ(facts.largest.size(), 7u);
  EXPECT_EQ(facts.largest[0].name, "proxy_on_configure");
  EXPECT_GT(facts.largest[0].size, facts.largest[1].size);
  const auto named =
      std::find_if(facts.largest.begin(), facts.largest.end(), [](const auto& f) { return f.index == 3; });
  EXPECT_EQ(named->name, "marker");  // the name section goes before an export's name
  size_t sum = 0;
  for (const auto& function : facts.largest) sum += function.size;
  EXPECT_EQ(sum, facts.code_size);
}

TEST(Facts, AStripSavesTheCustomSectionsToTheByte) {
  const auto bare = wasm(kSmallProxy);
  auto module = with_custom(bare, "name", "");
  module = with_custom(module, ".debug_info", "12345");
  module = with_custom(module, "producers", std::string("\0", 1));
  module = with_custom(module, "mine", "abc");
  const Facts facts = facts_of(module);
  EXPECT_EQ(facts.strip.names, 7u);
  EXPECT_EQ(facts.strip.debug, 19u);
  EXPECT_EQ(facts.strip.producers, 13u);
  EXPECT_EQ(facts.strip.other, 10u);
  EXPECT_EQ(facts.size - facts.strip.total(), bare.size());
}

TEST(Facts, WhatAheadOfTimeCompilationLacks) {
  const Facts facts = facts_of(wasm("(module (func (drop (v128.const i32x4 1 2 3 4))))"));
  EXPECT_NE(facts.not_for_aot, "");
}

TEST(Facts, InvalidModulesAreErrorsWithOffsets) {
  auto module = wasm(kSmallProxy);
  module.resize(module.size() - 3);
  const auto facts = examine(module);
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(facts.error().message.find("at offset 0x"), std::string::npos) << facts.error().message;
  EXPECT_FALSE(examine(raw("\x7f\x45LF")));
}

TEST(Facts, EveryFunctionOfTheAbiHasAGroup) {
  for (const auto& f : abi::kHostFunctions) EXPECT_NE(function_family(f.module, f.name), "other") << f.name;
  for (const auto& f : abi::kCallbacks) EXPECT_NE(callback_family(f.name), "") << f.name;
  EXPECT_EQ(function_family("env", "pthread_equal"), "other");
}

}  // namespace
}  // namespace inlay::inspect
