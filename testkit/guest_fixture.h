// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of host behaviour share: guests in WebAssembly text, and a fixture that runs each test on both
// engines.
//
// A guest is `guest(imports, body)`: around them stand an ABI marker, a memory of two pages, and an allocator that
// hands out the second page from its start again and again. Import what you need with `import_proxy("log", 3)`.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/temporary_directory.h"
#include "compiler/wat.h"
#include "testkit/proxy.h"

namespace inlay::testkit {

using namespace std::chrono_literals;  // NOLINT: tests only

// (import "env" "proxy_NAME" (func $NAME (param i32...) (result i32)))
inline std::string import_proxy(const std::string& name, int params) {
  std::string text = "(import \"env\" \"proxy_" + name + "\" (func $" + name + " (param";
  for (int i = 0; i < params; ++i) text += " i32";
  return text + ") (result i32)))\n";
}

struct GuestText {
  std::string version = "0_2_1";
  std::string allocator = R"((func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 65536)))";
};

inline std::string guest(const std::string& imports, const std::string& body, const GuestText& text = {}) {
  return "(module\n" + imports + "(memory (export \"memory\") 2)\n" + text.allocator +
         "\n(func (export \"proxy_abi_version_" + text.version + "\"))\n" + body + ")";
}

// Logs the i32 on top of the stack as decimal digits: "$log_number". Needs import_proxy("log", 3).
inline const std::string kLogNumber = R"(
  (func $log_number (param $n i32) (local $at i32)
    (local.set $at (i32.const 60016))
    (loop $next
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
      (local.set $n (i32.div_u (local.get $n) (i32.const 10)))
      (br_if $next (local.get $n)))
    (drop (call $log (i32.const 2) (local.get $at) (i32.sub (i32.const 60016) (local.get $at)))))
)";

// Each test runs on the interpreter and on compiled code.
class GuestTest : public testing::TestWithParam<engine::EngineKind> {
 protected:
  static void SetUpTestSuite() {
    static const TemporaryDirectory cache("inlay-testkit-");
    ASSERT_FALSE(cache.path().empty());
    setenv("XDG_CACHE_HOME", cache.path().c_str(), 1);
  }

  ProxyOptions options() const {
    ProxyOptions o;
    o.engine = GetParam();
    return o;
  }
  std::vector<uint8_t> wasm(std::string_view text) {
    auto bytes = compiler::wat_to_wasm(text);
    EXPECT_TRUE(bytes) << bytes.error().to_string();
    return bytes ? *std::move(bytes) : std::vector<uint8_t>{};
  }
  host::WorkerPlugin& load(TestProxy& proxy, std::string_view text, host::PluginConfig config = {}) {
    if (config.name.empty()) config.name = "test";
    auto plugin = proxy.load(wasm(text), std::move(config));
    EXPECT_TRUE(plugin) << plugin.error().to_string();
    if (!plugin) std::abort();
    return **plugin;
  }
};

#define INLAY_BOTH_ENGINES(suite)                                                             \
  INSTANTIATE_TEST_SUITE_P(                                                                   \
      Engines, suite, testing::Values(engine::EngineKind::kInterp, engine::EngineKind::kAot), \
      [](const auto& param) { return param.param == engine::EngineKind::kAot ? "aot" : "interp"; })

}  // namespace inlay::testkit
