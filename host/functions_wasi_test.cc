// SPDX-License-Identifier: Apache-2.0
// Logs, timers, and WASI as a proxy has it.

#include "host/functions_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

class HostWasi : public GuestTest {};
INLAY_BOTH_ENGINES(HostWasi);

TEST_P(HostWasi, TimersTickUntilTheyAreStopped) {
  TestProxy proxy(options());
  load(proxy, guest(import_proxy("log", 3) + import_proxy("set_tick_period_milliseconds", 1) +
                        import_proxy("get_current_time_nanoseconds", 1),
                    kLogNumber + R"(
    (global $ticks (mut i32) (i32.const 0))
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
      (drop (call $set_tick_period_milliseconds (i32.const 100))) (i32.const 1))
    (func (export "proxy_on_tick") (param i32)
      (global.set $ticks (i32.add (global.get $ticks) (i32.const 1)))
      (drop (call $get_current_time_nanoseconds (i32.const 16)))
      (call $log_number (i32.wrap_i64 (i64.rem_u (i64.div_u (i64.load (i32.const 16)) (i64.const 1000000)) (i64.const 100000))))
      (if (i32.eq (global.get $ticks) (i32.const 2)) (then (drop (call $set_tick_period_milliseconds (i32.const 1000)))))
      (if (i32.eq (global.get $ticks) (i32.const 4)) (then (drop (call $set_tick_period_milliseconds (i32.const 0)))))))"));
  proxy.advance(10s);
  EXPECT_EQ(story(proxy), "100 200 1200 2200");
}

TEST_P(HostWasi, LogLevelsAndWasiOutput) {
  TestProxy proxy(options());
  auto& plugin = load(proxy,
                      guest(import_proxy("log", 3) + import_proxy("get_log_level", 1) + R"(
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32))))",
                            kLogNumber + R"(
    (data (i32.const 0) "one two\n")
    (data (i32.const 64) "\00\00\00\00\04\00\00\00\04\00\00\00\04\00\00\00"))" +
                                on_request_headers(R"(
      (call $log_number (call $log (i32.const 6) (i32.const 0) (i32.const 3)))
      (drop (call $log (i32.const 4) (i32.const 0) (i32.const 3)))
      (drop (call $log (i32.const 1) (i32.const 0) (i32.const 3)))
      (call $log_number (call $get_log_level (i32.const 32)))
      (call $log_number (i32.load (i32.const 32)))
      (call $log_number (call $fd_write (i32.const 1) (i32.const 64) (i32.const 2) (i32.const 32)))
      (call $log_number (i32.load (i32.const 32)))
      (call $log_number (call $fd_write (i32.const 2) (i32.const 64) (i32.const 1) (i32.const 32)))
      (call $log_number (call $fd_write (i32.const 3) (i32.const 64) (i32.const 1) (i32.const 32)))
      (call $log_number (call $fd_write (i32.const 1) (i32.const 64) (i32.const 0x20000001) (i32.const 32))))")),
                      {.name = "n", .root_id = "r", .vm_id = "v"});
  proxy.log().set_level(abi::LogLevel::kInfo);
  proxy.stream(plugin, kRequest)->request_headers();
  const auto lines = proxy.log().lines();
  EXPECT_EQ(lines.at(1).text, "wasm log n r v: one");
  EXPECT_EQ(lines.at(1).level, abi::LogLevel::kError);
  EXPECT_EQ(lines.at(1).component, "wasm");
  EXPECT_EQ(story(proxy), "2 one 0 2 one two 0 8 0 8 28 one ");
}

// Go's runtime writes a panic word by word.
TEST_P(HostWasi, OutputInPiecesIsOneRecordWhenItsLineOrTheCallbackEnds) {
  const std::string writer = R"(
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32))))";
  const std::string body = R"(
    (data (i32.const 0) "pan\00ic:\00 no\0ago")
    (func $write (param $at i32) (param $size i32)
      (i32.store (i32.const 64) (local.get $at)) (i32.store (i32.const 68) (local.get $size))
      (drop (call $fd_write (i32.const 2) (i32.const 64) (i32.const 1) (i32.const 72))))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (call $write (i32.const 0) (i32.const 3))
      (call $write (i32.const 4) (i32.const 3))
      (call $write (i32.const 8) (i32.const 6))
      (if (i32.eq (local.get 1) (i32.const 1)) (then unreachable))
      (i32.const 0)))";
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(writer, body), {.name = "n"});
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(proxy.log().text(), "wasm log n: panic: no\nwasm log n: go\n");
  proxy.log().clear();
  proxy.stream(plugin, {{":path", "/"}})->request_headers();
  const std::string text = proxy.log().text();
  EXPECT_LT(text.find("go\n"), text.find("has failed")) << text;
}

// What Go's runtime needs to print a panic, and time.Sleep to come to an end.
TEST_P(HostWasi, AGuestMaySleepAShortWhile) {
  const std::string imports = import_proxy("log", 3) + R"(
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32))))";
  const std::string body = kLogNumber + R"(
    (func $show (call $log_number (i32.load (i32.const 512))) (call $log_number (i32.load (i32.const 256)))
      (call $log_number (i32.load16_u (i32.const 264))) (call $log_number (i32.load8_u (i32.const 266))))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (i32.store (i32.const 0) (i32.const 77))             ;; the mark
      (i32.store (i32.const 16) (i32.const 1))             ;; the monotonic clock
      (i64.store (i32.const 24) (i64.const 1000000))       ;; 1 ms
      (call $log_number (call $poll (i32.const 0) (i32.const 256) (i32.const 1) (i32.const 512))) (call $show)
      (i32.store16 (i32.const 40) (i32.const 1))           ;; which has passed
      (i64.store (i32.const 24) (i64.const 0))
      (call $log_number (call $poll (i32.const 0) (i32.const 256) (i32.const 1) (i32.const 512)))
      (i32.store8 (i32.const 8) (i32.const 1))             ;; a file
      (call $log_number (call $poll (i32.const 0) (i32.const 256) (i32.const 1) (i32.const 512))) (call $show)
      (call $log_number (call $poll (i32.const 0) (i32.const 256) (i32.const 0) (i32.const 512)))
      (call $log_number (call $poll (i32.const 0) (i32.const -32) (i32.const 1) (i32.const 512)))
      (i32.const 0)))";
  TestProxy proxy(options());
  proxy.stream(load(proxy, guest(imports, body)), kRequest)->request_headers();
  EXPECT_EQ(story(proxy), "0 1 77 0 0 0 0 1 77 8 1 28 21");
}

TEST_P(HostWasi, WasiGivesWhatAProxyHas) {
  TestProxy proxy(options());
  auto& plugin = load(proxy,
                      guest(import_proxy("log", 3) + R"(
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32))))",
                            kLogNumber + on_request_headers(R"(
      (call $log_number (call $sizes (i32.const 0) (i32.const 4)))
      (call $log_number (i32.load (i32.const 0))) (call $log_number (i32.load (i32.const 4)))
      (call $log_number (call $environ (i32.const 64) (i32.const 128)))
      (drop (call $log (i32.const 2) (i32.load (i32.const 68)) (i32.const 3)))
      (call $log_number (call $clock (i32.const 7) (i64.const 0) (i32.const 0)))
      (call $log_number (call $clock (i32.const 1) (i64.const 0) (i32.const 0)))
      (call $log_number (call $random (i32.const 0) (i32.const 65537)))
      (call $log_number (call $random (i32.const 1024) (i32.const 65536)))
      (call $log_number (call $prestat (i32.const 3) (i32.const 0)))
      (call $log_number (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0)))
      (call $exit (i32.const 1))
      (call $log_number (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))))")),
                      {.name = "n", .environment = {{"A", "1"}, {"B", "2"}}});
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(story(proxy), "0 2 8 0 B=2 58 0 28 0 8 44 the guest called proc_exit(1) 52");
}

}  // namespace
}  // namespace inlay::host
