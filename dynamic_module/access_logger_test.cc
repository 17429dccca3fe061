// SPDX-License-Identifier: Apache-2.0
#include "dynamic_module/access_logger.h"

#include <gmock/gmock.h>

#include "dynamic_module/fake_envoy_fixture.h"
#include "dynamic_module/process.h"
#include "testkit/guest_fixture.h"

namespace inlay::dynamic_module {
namespace {

using testkit::guest;
using testkit::import_proxy;

// Counts in the counter `logged` what it may read of a stream: 1 for its x-a, 10 for its code's details, 100 where it
// may set a header.
constexpr std::string_view kReading = R"(
  (data (i32.const 1024) "x-a")
  (data (i32.const 1032) "response\00code_details")
  (data (i32.const 1064) "logged")
  (global $id (mut i32) (i32.const 0))
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $define_metric (i32.const 0) (i32.const 1064) (i32.const 6) (i32.const 16)))
    (global.set $id (i32.load (i32.const 16)))
    (i32.const 1))
  (func $count (param i32 i64)
    (if (i32.eqz (local.get 0)) (then (drop (call $increment_metric (global.get $id) (local.get 1))))))
  (func (export "proxy_on_log") (param i32)
    (call $count (call $get_header_map_value (i32.const 0) (i32.const 1024) (i32.const 3) (i32.const 16) (i32.const 20))
      (i64.const 1))
    (call $count (call $get_property (i32.const 1032) (i32.const 21) (i32.const 16) (i32.const 20)) (i64.const 10))
    (call $count (call $replace_header_map_value (i32.const 0) (i32.const 1024) (i32.const 3) (i32.const 1024)
      (i32.const 3)) (i64.const 100)))
)";

TEST(AccessLogger, AGuestReadsAStreamThatIsOver) {
  const auto bytes = compiler::wat_to_wasm(
      guest(import_proxy("define_metric", 4) + import_proxy("get_header_map_value", 5) +
                import_proxy("replace_header_map_value", 5) + import_proxy("get_property", 4) +
                R"((import "env" "proxy_increment_metric" (func $increment_metric (param i32 i64) (result i32))))",
            std::string(kReading)));
  ASSERT_TRUE(bytes) << bytes.error().to_string();
  const auto module = compiler::load_module(*bytes, {.kind = engine::EngineKind::kInterp});
  ASSERT_TRUE(module) << module.error().to_string();
  Settings settings;
  settings.plugin.name = "logs";
  const auto made = AccessLogger::start(std::move(settings), *module);
  ASSERT_TRUE(made) << made.error().to_string();
  const auto logged = [] {
    return stats::MetricStore::value(*Process::get().metrics().find(abi::MetricType::kCounter, "wasmcustom.logged"));
  };
  envoy::AccessLogger stream;
  (*made)->log(&stream);  // nothing is there
  EXPECT_EQ(logged(), 0);
  stream.maps[0] = {{"x-a", "1"}};
  stream.texts[16] = "via_upstream";
  (*made)->log(&stream);
  EXPECT_EQ(logged(), 11);
}

TEST(AccessLogger, WhatIsWrongIsToldByTheNamesOfALogger) {
  const auto refused = AccessLogger::create("logs", R"({"vmid": "a"})");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().to_string().starts_with("logger_config.vmid: there is no such field"))
      << refused.error().to_string();
  const auto nameless = AccessLogger::create("logs", "{}");
  ASSERT_FALSE(nameless);
  EXPECT_EQ(nameless.error().to_string().find("filter"), std::string::npos) << nameless.error().to_string();
}

}  // namespace
}  // namespace inlay::dynamic_module
