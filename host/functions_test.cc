// SPDX-License-Identifier: Apache-2.0
// What holds for all host functions: capabilities, and what a hostile guest may hand to any of them.

#include "abi/functions.h"
#include "host/functions.h"
#include "host/functions_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

class HostFunctions : public GuestTest {};
INLAY_BOTH_ENGINES(HostFunctions);

TEST_P(HostFunctions, CapabilitiesThatAreNotGivenFail) {
  TestProxy proxy(options());
  const std::string text = guest(import_proxy("log", 3) + import_proxy("set_tick_period_milliseconds", 1) + R"(
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32))))",
                                 kLogNumber + R"(
    (func (export "proxy_on_context_create") (param i32 i32) unreachable))" +
                                     on_request_headers(R"(
      (call $log_number (call $set_tick_period_milliseconds (i32.const 5)))
      (call $log_number (call $random (i32.const 0) (i32.const 4))))"));
  auto& plugin = load(proxy, text, {.name = "n", .allowed_capabilities = {{"proxy_log", "proxy_on_request_headers"}}});
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(story(proxy),
            "the guest called proxy_set_tick_period_milliseconds, which allowed_capabilities does not allow 10 "
            "the guest called random_get, which allowed_capabilities does not allow 76");
  auto unrestricted = proxy.load(wasm(text), {.name = "n", .allowed_capabilities = std::set<std::string>()});
  EXPECT_FALSE(unrestricted);  // an empty set restricts nothing: on_context_create runs, and traps
}

// A guest that imports everything and calls it with arguments of the host's choosing: nothing breaks, in any phase.
TEST_P(HostFunctions, AnyArgumentsInAnyPhaseGetAStatus) {
  const uint32_t values[] = {0, 1, 2, 6, 7, 100, 65535, 131071, 131072, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
  std::string imports;
  std::string calls;
  size_t n = 0;
  uint32_t seed = 1;
  for (const auto& f : all_functions()) {
    if (!is_offered(f.module, f.name, abi::Version::k0_2_1)) continue;
    if (f.module == "wasi_unstable" || f.name == "proxy_close_stream" || f.name == "proxy_send_local_response")
      continue;
    const std::string id = "$f" + std::to_string(n++);
    imports += "(import \"" + std::string(f.module) + "\" \"" + std::string(f.name) + "\" (func " + id;
    for (const auto type : f.params) imports += type == engine::ValueType::kI64 ? " (param i64)" : " (param i32)";
    imports += f.results.empty() ? "))\n" : " (result i32)))\n";
    for (int round = 0; round < 16; ++round) {
      std::string call = "(call " + id;
      for (const auto type : f.params) {
        seed = seed * 1664525 + 1013904223;
        const uint32_t value = values[(seed >> 16) % std::size(values)];
        call += (type == engine::ValueType::kI64 ? " (i64.const " : " (i32.const ") + std::to_string(value) + ")";
      }
      calls += f.results.empty() ? call + ")\n" : "(drop " + call + "))\n";
    }
  }
  GuestText wild;
  wild.allocator = R"(
    (global $next (mut i32) (i32.const 0))
    (func (export "proxy_on_memory_allocate") (param i32) (result i32)
      (global.set $next (i32.add (i32.mul (global.get $next) (i32.const 69069)) (i32.const 12345)))
      (i32.and (global.get $next) (i32.const 0x1ffff))))";
  const std::string all = "(func $all " + calls + ")";
  const std::string text = guest(imports, all + R"(
    (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (call $all) (i32.const 1))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (call $all) (i32.const 0))
    (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) (call $all) (i32.const 0))
    (func (export "proxy_on_response_trailers") (param i32 i32) (result i32) (call $all) (i32.const 0))
    (func (export "proxy_on_tick") (param i32) (call $all))
    (func (export "proxy_on_http_call_response") (param i32 i32 i32 i32 i32) (call $all))
    (func (export "proxy_on_log") (param i32) (call $all))
    (func (export "proxy_on_done") (param i32) (result i32) (call $all) (i32.const 1))
    (func (export "proxy_on_delete") (param i32) (call $all)))",
                                 wild);
  TestProxy proxy(options());
  proxy.log().set_level(abi::LogLevel::kCritical);
  auto& plugin = load(proxy, text);
  for (int i = 0; i < 3; ++i) {
    auto stream = proxy.stream(plugin, kRequest);
    stream->request_headers(false);
    stream->request_body("some bytes", true);
    stream->response_headers({{":status", "200"}}, false);
    stream->response_trailers({{"t", "v"}});
    stream->finish();
    proxy.advance(1s);
  }
  EXPECT_TRUE(plugin.healthy());
  if (GetParam() == engine::EngineKind::kAot) return;  // two more large modules to compile
  // Before its callbacks it may not, and is refused.
  for (const char* begin : {"(start $all)", "(func (export \"_initialize\") (call $all))"})
    EXPECT_FALSE(proxy.load(wasm(guest(imports, all + begin, wild)), {.name = "early"}));
}

}  // namespace
}  // namespace inlay::host
