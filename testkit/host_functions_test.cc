// SPDX-License-Identifier: Apache-2.0
// The other host functions: local replies, bodies, timers, shared data, queues, metrics, properties, logs, WASI,
// capabilities, and what a hostile guest may hand to any of them.

#include "abi/functions.h"
#include "host/functions.h"
#include "testkit/guest_fixture.h"

namespace inlay::testkit {
namespace {

using abi::DataStatus;
using abi::HeadersStatus;

class HostFunctions : public GuestTest {};
INLAY_BOTH_ENGINES(HostFunctions);

const HeaderList kRequest = {{":method", "GET"}, {":path", "/"}};

std::string on_request_headers(const std::string& body) {
  return "(func (export \"proxy_on_request_headers\") (param i32 i32 i32) (result i32)" + body + " (i32.const 0))";
}

// The lines without their prefix, joined by spaces.
std::string story(TestProxy& proxy) {
  std::string text;
  for (const auto& line : proxy.log().lines())
    text += (text.empty() ? "" : " ") + line.text.substr(line.text.find(": ") + 2);
  proxy.log().clear();
  return text;
}

TEST_P(HostFunctions, ALocalReplyStopsTheStreamWhateverTheGuestReturns) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("send_local_response", 8) + import_proxy("continue_stream", 1), R"(
    (data (i32.const 0) "no such user" "go away")
    (data (i32.const 64) "\01\00\00\00\01\00\00\00\01\00\00\00x\00y\00"))" + on_request_headers(R"(
      (drop (call $send_local_response (i32.const 403) (i32.const 0) (i32.const 12) (i32.const 12) (i32.const 7)
        (i32.const 64) (i32.const 16) (i32.const -1)))
      (drop (call $send_local_response (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 7)))
      (drop (call $continue_stream (i32.const 0))))")));
  auto stream = proxy.stream(plugin, kRequest);
  EXPECT_EQ(stream->request_headers(), HeadersStatus::kStopAllIterationAndWatermark);
  ASSERT_TRUE(stream->local_reply);
  EXPECT_EQ(stream->local_replies, 1u);  // the first one counts
  EXPECT_EQ(stream->local_reply->status, 403u);
  EXPECT_EQ(stream->local_reply->body, "go away");
  EXPECT_EQ(stream->local_reply->details, "no_such_user");
  EXPECT_EQ(stream->local_reply->headers, (std::vector<std::pair<std::string, std::string>>{{"x", "y"}}));
  EXPECT_FALSE(stream->local_reply->grpc_status);
  EXPECT_FALSE(stream->local_reply->skip_encoder_filters);
  EXPECT_TRUE(stream->continued.empty());
}

TEST_P(HostFunctions, StreamsAreResumedAndClosedAfterTheGuestHasReturned) {
  TestProxy proxy(options());
  auto& plugin =
      load(proxy, guest(import_proxy("log", 3) + import_proxy("continue_stream", 1) + import_proxy("close_stream", 1),
                        kLogNumber + R"(
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (call $log_number (call $continue_stream (i32.const 0)))
      (call $log_number (call $continue_stream (i32.const 2)))
      (call $log_number (call $continue_stream (i32.const 9)))
      (i32.const 1))
    (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
      (call $log_number (call $close_stream (i32.const 1))) (i32.const 0)))"));
  auto stream = proxy.stream(plugin, kRequest);
  EXPECT_EQ(stream->request_headers(), HeadersStatus::kContinue);  // resumed before it was paused
  EXPECT_EQ(story(proxy), "0 12 2");
  EXPECT_EQ(stream->response_headers({{":status", "200"}}), HeadersStatus::kStopAllIterationAndWatermark);
  EXPECT_EQ(stream->reset_details, "wasm_close_stream");
}

TEST_P(HostFunctions, BodiesAreReadAndRewritten) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("log", 3) + import_proxy("get_buffer_bytes", 5) +
                                       import_proxy("set_buffer_bytes", 5) + import_proxy("get_buffer_status", 3),
                                   kLogNumber + R"(
    (data (i32.const 0) "<>")
    (func $get (param $start i32) (param $max i32)
      (call $log_number (call $get_buffer_bytes (i32.const 0) (local.get $start) (local.get $max) (i32.const 16) (i32.const 20)))
      (drop (call $log (i32.const 2) (i32.load (i32.const 16)) (i32.load (i32.const 20)))))
    (func $set (param $start i32) (param $size i32) (param $at i32)
      (call $log_number (call $set_buffer_bytes (i32.const 0) (local.get $start) (local.get $size) (local.get $at) (i32.const 1))))
    (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32)
      (call $get (i32.const 1) (i32.const 2))
      (call $get (i32.const 3) (i32.const 1000))
      (call $get (i32.const 99) (i32.const 1))
      (call $get (i32.const 2) (i32.const -1))
      (call $set (i32.const 0) (i32.const 0) (i32.const 0))
      (call $set (i32.const -1) (i32.const 0) (i32.const 1))
      (call $set (i32.const 1) (i32.const 1) (i32.const 1))
      (drop (call $get_buffer_status (i32.const 0) (i32.const 16) (i32.const 20)))
      (call $log_number (i32.load (i32.const 16)))
      (i32.const 1))
    (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32)
      (call $get (i32.const 0) (i32.const 1))
      (call $log_number (call $set_buffer_bytes (i32.const 1) (i32.const 0) (i32.const 100) (i32.const 0) (i32.const 2)))
      (i32.const 9)))"));
  auto stream = proxy.stream(plugin, kRequest);
  EXPECT_EQ(stream->request_body("hello", true), DataStatus::kStopIterationAndBuffer);
  EXPECT_EQ(story(proxy), "0 el 0 lo 0  2  0 0 2 7");
  EXPECT_EQ(stream->request_buffer.to_string(), "<hello>");
  EXPECT_EQ(stream->response_body("answer", true), DataStatus::kStopIterationNoBuffer);
  EXPECT_EQ(story(proxy), "1  0");  // the request's body is not there now
  EXPECT_EQ(stream->response_buffer.to_string(), "<>");
}

TEST_P(HostFunctions, TimersTickUntilTheyAreStopped) {
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

TEST_P(HostFunctions, SharedDataIsSharedByWorkersAndGuardedByCas) {
  auto o = options();
  o.workers = 2;
  TestProxy proxy(o);
  auto& first = load(
      proxy, guest(import_proxy("log", 3) + import_proxy("get_shared_data", 5) + import_proxy("set_shared_data", 5),
                   kLogNumber + R"(
    (data (i32.const 0) "key" "value"))" +
                       on_request_headers(R"(
      (call $log_number (call $get_shared_data (i32.const 0) (i32.const 3) (i32.const 16) (i32.const 20) (i32.const 24)))
      (call $log_number (i32.load (i32.const 20)))
      (call $log_number (call $set_shared_data (i32.const 0) (i32.const 3) (i32.const 3) (i32.const 5) (i32.load (i32.const 24))))
      (call $log_number (call $set_shared_data (i32.const 0) (i32.const 3) (i32.const 3) (i32.const 4) (i32.const 12345))))")));
  auto& second = *proxy.attached(1);
  proxy.stream(first, kRequest)->request_headers();
  EXPECT_EQ(story(proxy), "1 0 0 8");
  proxy.stream(second, kRequest)->request_headers();
  EXPECT_EQ(story(proxy), "0 5 0 8");
}

TEST_P(HostFunctions, AQueuesItemsComeToTheWorkerThatRegisteredLast) {
  auto o = options();
  o.workers = 2;
  TestProxy proxy(o);
  auto& plugin =
      load(proxy, guest(import_proxy("log", 3) + import_proxy("register_shared_queue", 3) +
                            import_proxy("resolve_shared_queue", 5) + import_proxy("enqueue_shared_queue", 3) +
                            import_proxy("dequeue_shared_queue", 3),
                        kLogNumber + R"(
    (data (i32.const 0) "jobs" "item")
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
      (drop (call $register_shared_queue (i32.const 0) (i32.const 4) (i32.const 16))) (i32.const 1))
    (func (export "proxy_on_queue_ready") (param i32 i32)
      (call $log_number (call $dequeue_shared_queue (local.get 1) (i32.const 16) (i32.const 20)))
      (drop (call $log (i32.const 2) (i32.load (i32.const 16)) (i32.load (i32.const 20))))
      (call $log_number (call $dequeue_shared_queue (local.get 1) (i32.const 16) (i32.const 20)))
      (call $log_number (call $dequeue_shared_queue (i32.const 99) (i32.const 16) (i32.const 20)))))" +
                            on_request_headers(R"(
      (call $log_number (call $resolve_shared_queue (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 16)))
      (call $log_number (call $resolve_shared_queue (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 4) (i32.const 20)))
      (call $log_number (call $enqueue_shared_queue (i32.load (i32.const 16)) (i32.const 4) (i32.const 4))))")));
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(story(proxy), "0 1 0");
  proxy.worker(0).run_posted();
  EXPECT_EQ(story(proxy), "");  // not this one
  proxy.worker(1).run_posted();
  EXPECT_EQ(story(proxy), "0 item 7 1");
  proxy.stream(plugin, kRequest)->request_headers();
  proxy.worker(1).stop();  // with the notification on its way
  proxy.run();
}

TEST_P(HostFunctions, MetricsAreNumberedAsEnvoyDoes) {
  TestProxy proxy(options());
  auto& plugin =
      load(proxy, guest(import_proxy("log", 3) + import_proxy("define_metric", 4) + import_proxy("get_metric", 2) + R"(
    (import "env" "proxy_increment_metric" (func $increment (param i32 i64) (result i32)))
    (import "env" "proxy_record_metric" (func $record (param i32 i64) (result i32))))",
                        kLogNumber + R"(
    (data (i32.const 0) "abcd")
    (func $define (param $type i32) (param $name i32)
      (call $log_number (call $define_metric (local.get $type) (local.get $name) (i32.const 1) (i32.const 16)))
      (call $log_number (i32.load (i32.const 16)))))" +
                            on_request_headers(R"(
      (call $define (i32.const 0) (i32.const 0)) (call $define (i32.const 0) (i32.const 1))
      (call $define (i32.const 1) (i32.const 2)) (call $define (i32.const 2) (i32.const 3))
      (call $define (i32.const 0) (i32.const 0)) (call $define (i32.const 3) (i32.const 0))
      (call $log_number (call $increment (i32.const 4) (i64.const 5)))
      (call $log_number (call $increment (i32.const 4) (i64.const 0)))
      (call $log_number (call $increment (i32.const 5) (i64.const -3)))
      (call $log_number (call $record (i32.const 4) (i64.const 2)))
      (call $log_number (call $record (i32.const 6) (i64.const 2)))
      (call $log_number (call $increment (i32.const 6) (i64.const 2)))
      (call $log_number (call $increment (i32.const 7) (i64.const 2)))
      (call $log_number (call $get_metric (i32.const 4) (i32.const 24)))
      (call $log_number (i32.load (i32.const 24)))
      (call $log_number (call $get_metric (i32.const 6) (i32.const 24))))")));
  proxy.stream(plugin, kRequest)->request_headers();
  EXPECT_EQ(story(proxy), "0 4 0 8 0 5 0 6 0 4 2 4 0 2 0 0 0 2 1 0 7 2");
  EXPECT_EQ(proxy.metric("wasmcustom.a"), 7);
  EXPECT_EQ(proxy.metric("wasmcustom.c"), -3);
}

TEST_P(HostFunctions, PropertiesComeFromThePluginTheStreamAndTheWorker) {
  auto o = options();
  o.compat_legacy_properties = true;
  TestProxy proxy(o);
  proxy.worker().properties()["xds.node"] = "node bytes";
  auto& plugin = load(proxy, guest(import_proxy("log", 3) + import_proxy("get_property", 4) +
                                       import_proxy("set_property", 4) + import_proxy("set_effective_context", 1),
                                   kLogNumber + R"(
    (data (i32.const 0) "plugin_name\00request\00path\00mine\00node\00")
    (func $get (param $at i32) (param $size i32)
      (call $log_number (call $get_property (local.get $at) (local.get $size) (i32.const 64) (i32.const 68)))
      (drop (call $log (i32.const 2) (i32.load (i32.const 64)) (i32.load (i32.const 68)))))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
      (call $get (i32.const 0) (i32.const 11))
      (call $get (i32.const 12) (i32.const 12))
      (call $get (i32.const 12) (i32.const 13))  ;; with a NUL at the end
      (call $get (i32.const 25) (i32.const 4))
      (call $log_number (call $set_property (i32.const 25) (i32.const 4) (i32.const 0) (i32.const 6)))
      (call $get (i32.const 25) (i32.const 4))
      (drop (call $set_effective_context (i32.const 1)))
      (call $get (i32.const 30) (i32.const 4))
      (call $get (i32.const 12) (i32.const 12))
      (i32.const 0)))"));
  auto stream = proxy.stream(plugin, kRequest);
  stream->properties["request.path"] = "/p";
  stream->request_headers();
  EXPECT_EQ(story(proxy), "0 test 0 /p 0 /p 1 /p 0 0 plugin 0 node bytes 1 node bytes");
  EXPECT_EQ(stream->filter_state["wasm.mine"], "plugin");
}

TEST_P(HostFunctions, LogLevelsAndWasiOutput) {
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
  EXPECT_EQ(story(proxy), "2 one 0 2 one two 0 8 one  0 8 28");
}

TEST_P(HostFunctions, WasiGivesWhatAProxyHas) {
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

TEST_P(HostFunctions, ForeignAndGrpcFunctionsSayWhatTheyAre) {
  TestProxy proxy(options());
  auto& plugin = load(
      proxy, guest(import_proxy("log", 3) + import_proxy("call_foreign_function", 6) + import_proxy("grpc_cancel", 1),
                   kLogNumber + R"(
    (data (i32.const 0) "clear_route_cache"))" +
                       on_request_headers(R"(
      (call $log_number (call $call_foreign_function (i32.const 0) (i32.const 17) (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 68)))
      (call $log_number (call $call_foreign_function (i32.const 0) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 68)))
      (call $log_number (call $grpc_cancel (i32.const 1))))")));
  auto stream = proxy.stream(plugin, kRequest);
  stream->request_headers();
  EXPECT_EQ(stream->route_cache_clears, 1u);
  EXPECT_EQ(story(proxy), "0 1 12");
}

// A guest that imports everything and calls it with arguments of the host's choosing: nothing breaks, in any phase.
TEST_P(HostFunctions, AnyArgumentsInAnyPhaseGetAStatus) {
  const uint32_t values[] = {0, 1, 2, 6, 7, 100, 65535, 131071, 131072, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
  std::string imports;
  std::string calls;
  size_t n = 0;
  uint32_t seed = 1;
  for (const auto& f : host::all_functions()) {
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
  const std::string text = guest(imports, "(func $all " + calls + R"()
    (start $all)
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
}

}  // namespace
}  // namespace inlay::testkit
