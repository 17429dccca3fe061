// SPDX-License-Identifier: Apache-2.0
// Start-up, the canary, module checks, context ids, the order of callbacks, shut-down.

#include <algorithm>
#include <array>

#include "host/functions.h"
#include "testkit/guest_fixture.h"

namespace inlay::host {
using namespace testkit;  // NOLINT: tests only
namespace {

class HostLifecycle : public GuestTest {};
INLAY_BOTH_ENGINES(HostLifecycle);

// Logs each callback as "NAME id"; on_done and the start callbacks say what global $answer holds.
std::string recording(const std::string& done_answer = "(i32.const 1)") {
  auto callback = [](const std::string& name, const std::string& type, const std::string& answer) {
    return "(data (i32.const " + std::to_string(name.size() * 64) + ") \"" + name + "\")\n(func (export \"proxy_on_" +
           name + "\") " + type + " (drop (call $log (i32.const 2) (i32.const " + std::to_string(name.size() * 64) +
           ") (i32.const " + std::to_string(name.size()) + "))) (call $log_number (local.get 0)) " + answer + ")\n";
  };
  return guest(import_proxy("log", 3), kLogNumber + callback("context_create", "(param i32 i32)", "") +
                                           callback("vm_start", "(param i32 i32) (result i32)", "(i32.const 1)") +
                                           callback("configure", "(param i32 i32) (result i32)", "(i32.const 1)") +
                                           callback("log", "(param i32)", "") +
                                           callback("done", "(param i32) (result i32)", done_answer) +
                                           callback("delete", "(param i32)", ""));
}

// The lines without their prefix, joined by spaces.
std::string story(TestProxy& proxy) {
  std::string text;
  for (const auto& line : proxy.log().lines()) {
    const size_t colon = line.text.find(": ");
    text += (text.empty() ? "" : " ") + line.text.substr(colon + 2);
  }
  proxy.log().clear();
  return text;
}

TEST_P(HostLifecycle, CanaryThenEachWorkerStartsAndStreamsFollow) {
  auto o = options();
  o.workers = 2;
  TestProxy proxy(o);
  auto& plugin = load(proxy, recording());
  const std::string start = "context_create 1 vm_start 1 configure 1";
  EXPECT_EQ(story(proxy), start + " " + start + " " + start);
  auto first = proxy.stream(plugin, {});
  auto second = proxy.stream(plugin, {});
  EXPECT_EQ(story(proxy), "context_create 2 context_create 3");
  first->finish();
  EXPECT_EQ(story(proxy), "log 2 done 2 delete 2");
  second.reset();
  EXPECT_EQ(story(proxy), "log 3 done 3 delete 3");
  auto third = proxy.stream(plugin, {});
  EXPECT_EQ(story(proxy), "context_create 4");
  third.reset();
  proxy.log().clear();
  proxy.worker(0).stop();
  EXPECT_EQ(story(proxy), "done 1 delete 1");
  EXPECT_EQ(proxy.metric("wasm.envoy.wasm.runtime.v8.active"), 2);  // the other worker's, and the module itself
}

TEST_P(HostLifecycle, APluginThatLeavesEndsItsRootContextAndTheLastOneTheVm) {
  TestProxy proxy(options());
  auto& first = load(proxy, recording());
  auto config = first.plugin().config();
  config.name = "second";
  config.configuration = "of its own";
  auto made = proxy.host().create_plugin(config, first.plugin().module());
  ASSERT_TRUE(made) << made.error().to_string();
  Worker& worker = proxy.worker().worker();
  WorkerPlugin* const second = worker.attach(*made);
  proxy.log().clear();
  auto stream = proxy.stream(first, {});
  EXPECT_EQ(story(proxy), "context_create 3");
  worker.detach(second->plugin());
  EXPECT_EQ(story(proxy), "done 2 delete 2");
  stream.reset();
  EXPECT_EQ(story(proxy), "log 3 done 3 delete 3");
  const int64_t active = proxy.metric("wasm.envoy.wasm.runtime.v8.active");
  worker.detach(first.plugin());
  worker.detach(**made);  // which has left
  EXPECT_EQ(story(proxy), "done 1 delete 1");
  proxy.worker().run_posted();
  EXPECT_EQ(proxy.metric("wasm.envoy.wasm.runtime.v8.active"), active - 1);
}

TEST_P(HostLifecycle, DeleteWaitsForNoProxyDone) {
  TestProxy proxy(options());
  auto& plugin =
      load(proxy, guest(import_proxy("log", 3) + import_proxy("done", 0) + import_proxy("set_effective_context", 1) +
                            import_proxy("get_header_map_size", 2) + import_proxy("set_tick_period_milliseconds", 1),
                        kLogNumber + R"(
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
      (drop (call $set_tick_period_milliseconds (i32.const 100))) (i32.const 1))
    (func (export "proxy_on_done") (param i32) (result i32) (i32.const 0))
    (func (export "proxy_on_tick") (param i32)
      (call $log_number (call $set_effective_context (i32.const 2)))
      (call $log_number (call $get_header_map_size (i32.const 0) (i32.const 0)))
      (call $log_number (call $done)))
    (func (export "proxy_on_delete") (param i32) (call $log_number (i32.const 777))))"));
  proxy.stream(plugin, {{"a", "b"}})->finish();
  EXPECT_EQ(story(proxy), "777");
  proxy.advance(100ms);
  EXPECT_EQ(story(proxy), "2 2 1");  // the stream is gone; of the root context: no map, and nobody waits
  proxy.worker(0).stop();
  EXPECT_EQ(story(proxy), "");  // nor is a root context deleted that is not done
}

TEST_P(HostLifecycle, ConfigurationsAreReadWhereTheyBelong) {
  TestProxy proxy(options());
  const std::string read = R"(
    (func $read (param $type i32)
      (call $log_number (call $get_buffer_bytes (local.get $type) (i32.const 0) (i32.const 100) (i32.const 16) (i32.const 20)))
      (drop (call $log (i32.const 2) (i32.load (i32.const 16)) (i32.load (i32.const 20)))))
    (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
      (call $log_number (local.get 1)) (call $read (i32.const 6)) (call $read (i32.const 7)) (i32.const 1))
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
      (call $log_number (local.get 1)) (call $read (i32.const 7)) (call $read (i32.const 6)) (i32.const 1)))";
  load(proxy, guest(import_proxy("log", 3) + import_proxy("get_buffer_bytes", 5), kLogNumber + read),
       {.name = "n", .root_id = "r", .vm_id = "v", .vm_configuration = "vm!", .configuration = "plugin"});
  const std::string once = "3 0 vm! 1 vm! 6 0 plugin 0 vm!";
  EXPECT_EQ(proxy.log().lines().at(0).text, "wasm log r v: 3");  // a root context is logged without the name
  EXPECT_EQ(story(proxy), once + " " + once);
}

// A start for which the interpreter had no time is tried again when native code has come; no other is.
TEST_P(HostLifecycle, ACanaryThatTakesTooLongSaysSoInItsCode) {
  auto hurried = options();
  hurried.limits.call_budget = std::chrono::milliseconds(50);
  TestProxy proxy(hurried);
  for (const std::string body :
       {"(func (export \"proxy_on_configure\") (param i32 i32) (result i32) (loop (br 0)) (i32.const 1))",
        "(func (export \"_initialize\") (loop (br 0)))", "(func $s (loop (br 0))) (start $s)"}) {
    auto late = proxy.load(wasm(guest("", body)), {.name = "late"});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::kDeadlineExceeded) << late.error().message;
  }
}

TEST_P(HostLifecycle, ACanaryThatFailsStopsTheStart) {
  TestProxy proxy(options());
  auto refused =
      proxy.load(wasm(guest("", "(func (export \"proxy_on_configure\") (param i32 i32) (result i32) (i32.const 0))")),
                 {.name = "picky", .failure_policy = FailurePolicy::kFailOpen});
  ASSERT_FALSE(refused);
  EXPECT_EQ(
      refused.error().message,
      "unable to create Wasm plugin picky: plugin picky: proxy_on_configure returned false; it has logged nothing");
  auto trapping =
      proxy.load(wasm(guest("", "(func (export \"proxy_on_vm_start\") (param i32 i32) (result i32) unreachable)")),
                 {.name = "broken"});
  ASSERT_FALSE(trapping);
  EXPECT_NE(trapping.error().message.find("proxy_on_vm_start failed: "), std::string::npos);
  EXPECT_EQ(trapping.error().code, ErrorCode::kTrap) << "it would trap in native code too";
  auto talking = proxy.load(wasm(guest(import_proxy("log", 3), R"(
    (data (i32.const 0) "expected a number, found x!!")
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
      (drop (call $log (i32.const 0) (i32.const 0) (i32.const 4)))
      (drop (call $log (i32.const 4) (i32.const 0) (i32.const 28)))
      (i32.const 0)))")),
                            {.name = "picky"});
  ASSERT_FALSE(talking);
  EXPECT_EQ(
      talking.error().message,
      "unable to create Wasm plugin picky: plugin picky: proxy_on_configure returned false; the last line that it "
      "logged: expected a number, found x!!");
  auto initialize = proxy.load(wasm(guest("", "(func (export \"_initialize\") unreachable)")), {.name = "broken"});
  EXPECT_FALSE(initialize);
  EXPECT_EQ(proxy.metric("wasm.envoy.wasm.runtime.v8.active"), 0);
}

TEST_P(HostLifecycle, APluginWithoutCodeIsLeftToItsPolicyUntilItHasSome) {
  TestProxy proxy(options());
  PluginConfig config;
  config.name = "late";
  const auto closed = proxy.host().create_plugin_without_code(config);
  EXPECT_EQ(closed->module(), nullptr);
  WorkerPlugin* plugin = proxy.worker().worker().attach(closed);
  EXPECT_FALSE(plugin->healthy());
  auto refused = proxy.stream(*plugin, {});
  EXPECT_EQ(refused->request_headers(), abi::HeadersStatus::kStopAllIterationAndWatermark);
  EXPECT_EQ(refused->local_reply->status, 503u);
  auto module = proxy.compile(wasm(recording()));
  auto whole = proxy.host().create_plugin(config, *module);
  ASSERT_TRUE(whole) << whole.error().to_string();
  proxy.log().clear();
  proxy.worker().worker().replace(*closed, *whole);
  EXPECT_TRUE(plugin->healthy());
  EXPECT_EQ(&plugin->plugin(), whole->get());
  EXPECT_EQ(story(proxy), "context_create 1 vm_start 1 configure 1");
  refused->finish();  // was never a context of the guest
  EXPECT_EQ(story(proxy), "");
  EXPECT_EQ(proxy.stream(*plugin, {})->request_headers(), abi::HeadersStatus::kContinue);

  config.failure_policy = FailurePolicy::kFailOpen;
  WorkerPlugin* open = proxy.worker().worker().attach(proxy.host().create_plugin_without_code(config));
  EXPECT_TRUE(proxy.stream(*open, {})->bypassed());
}

TEST_P(HostLifecycle, AnAccessLoggerSeesAStreamInOnLogOnly) {
  TestProxy proxy(options());
  auto& plugin =
      load(proxy, guest(import_proxy("log", 3) + import_proxy("get_header_map_size", 2) +
                            import_proxy("add_header_map_value", 5) + import_proxy("set_tick_period_milliseconds", 1),
                        kLogNumber + R"(
    (func (export "proxy_on_configure") (param i32 i32) (result i32)
      (drop (call $set_tick_period_milliseconds (i32.const 100))) (i32.const 1))
    (func $look
      (call $log_number (call $get_header_map_size (i32.const 0) (i32.const 16)))
      (call $log_number (call $add_header_map_value (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1))))
    (func (export "proxy_on_tick") (param i32) (call $look))
    (func (export "proxy_on_log") (param $id i32) (call $log_number (local.get $id)) (call $look)))"));
  auto stream = proxy.stream(plugin, {{"a", "b"}});
  proxy.log().clear();
  proxy.advance(100ms);
  EXPECT_EQ(story(proxy), "2 2");  // no stream: BadArgument
  plugin.log(*stream);
  EXPECT_EQ(story(proxy).substr(0, 4), "1 0 ");  // the root context, which can read
}

TEST_P(HostLifecycle, ARestrictionWithoutACallbackIsToldOf) {
  TestProxy proxy(options());
  const auto config = [](std::set<std::string> allowed) {
    PluginConfig made;
    made.name = "restricted";
    made.allowed_capabilities = std::move(allowed);
    return made;
  };
  auto module = proxy.compile(wasm(recording()));
  ASSERT_TRUE(proxy.load(*module, config({"proxy_log"})));
  EXPECT_EQ(proxy.log().count("plugin restricted will do nothing: its allowed_capabilities name none of"), 1u);
  EXPECT_EQ(proxy.log().count("vm_start"), 0u);
  proxy.log().clear();
  ASSERT_TRUE(proxy.load(*module, config({"proxy_log", "proxy_on_vm_start"})));
  EXPECT_EQ(proxy.log().count("will do nothing"), 0u);
  EXPECT_EQ(proxy.log().count("vm_start"), 2u);
}

TEST_P(HostLifecycle, InitializeAndMainRunOnce) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("log", 3), kLogNumber + R"(
    (func (export "_start") unreachable)
    (func (export "_initialize") (call $log_number (i32.const 41)))
    (func (export "main") (param i32 i32) (result i32) (call $log_number (i32.const 42)) (i32.const 0)))"));
  EXPECT_TRUE(plugin.healthy());
  EXPECT_EQ(story(proxy), "41 42 41 42");
}

// A module with one import, which it calls with zeros where `how` says: "$call" is that call.
std::string calling(const engine::HostFunction& f, const std::string& how) {
  std::string params;
  std::string call = "(call $f";
  for (const engine::ValueType type : f.params) {
    params += type == engine::ValueType::kI64 ? " i64" : " i32";
    call += type == engine::ValueType::kI64 ? " (i64.const 0)" : " (i32.const 0)";
  }
  call += ")";
  if (!f.results.empty()) call = "(drop " + call + ")";
  const std::string result = f.results.empty() ? "" : "(result i32)";
  std::string text = "(import \"" + std::string(f.module) + "\" \"" + std::string(f.name) + "\" (func $f (param" +
                     params + ") " + result + "))";
  std::string code = how;
  code.replace(code.find("$call"), 5, call);
  GuestText form;
  if (!is_offered(f.module, f.name, abi::Version::k0_2_1)) form.version = "0_1_0";
  return guest(text, code, form);
}

// Envoy 1.40, each function tried.
constexpr std::array<std::string_view, 17> kBeforeCallbacks = {"proxy_log",
                                                               "args_get",
                                                               "args_sizes_get",
                                                               "clock_res_get",
                                                               "clock_time_get",
                                                               "environ_get",
                                                               "environ_sizes_get",
                                                               "fd_fdstat_get",
                                                               "fd_fdstat_set_flags",
                                                               "fd_filestat_get",
                                                               "fd_prestat_dir_name",
                                                               "fd_prestat_get",
                                                               "fd_write",
                                                               "path_filestat_get",
                                                               "poll_oneoff",
                                                               "random_get",
                                                               "emscripten_notify_memory_growth"};

TEST_P(HostLifecycle, BeforeItsCallbacksAModuleMayCallWhatNeedsNoContext) {
  if (GetParam() == engine::EngineKind::kAot) return;  // a module a function: the next test has both engines
  for (const engine::HostFunction& f : all_functions()) {
    if (f.module == "wasi_unstable") continue;
    const bool allowed =
        std::find(kBeforeCallbacks.begin(), kBeforeCallbacks.end(), f.name) != kBeforeCallbacks.end() ||
        support(f.module, f.name) == Support::kNosys;
    TestProxy proxy(options());
    const auto made = proxy.load(wasm(calling(f, "(func (export \"_initialize\") $call)")), {.name = "early"});
    EXPECT_EQ(made.has_value(), allowed) << f.name;
    if (made) continue;
    EXPECT_EQ(made.error().message.find("unable to create Wasm plugin early: _initialize: it calls " +
                                        std::string(f.name) + ", which a module may do in its callbacks only"),
              0u)
        << made.error().message;
    EXPECT_EQ(proxy.metric("wasm.envoy.wasm.runtime.v8.active"), 0);
  }
}

TEST_P(HostLifecycle, OtherHostFunctionsAreForCallbacksWhereverAModuleBegins) {
  const engine::HostFunction& f = *find_function("env", "proxy_define_metric");
  for (const auto& [where, how] : std::vector<std::pair<std::string, std::string>>{
           {"_start", "(func (export \"_start\") $call)"},
           {"main",
            "(func (export \"_initialize\")) (func (export \"main\") (param i32 i32) (result i32) $call (i32.const "
            "0))"},
           {"__main_void",
            "(func (export \"_initialize\")) (func (export \"__main_void\") (result i32) $call (i32.const 0))"},
           {"the module's start function", "(func $begin $call) (start $begin)"}}) {
    TestProxy proxy(options());
    const auto made = proxy.load(wasm(calling(f, how)), {.name = "early"});
    ASSERT_FALSE(made) << where;
    EXPECT_NE(made.error().message.find(where + ": it calls proxy_define_metric"), std::string::npos)
        << made.error().message;
  }
  TestProxy proxy(options());
  EXPECT_TRUE(proxy.load(
      wasm(calling(f, "(func (export \"proxy_on_vm_start\") (param i32 i32) (result i32) $call (i32.const 1))")),
      {.name = "in time"}));
}

// on_log is where a stream is read as a whole.
TEST_P(HostLifecycle, AStreamsMapsAreGoneAfterItsLog) {
  TestProxy proxy(options());
  auto& plugin = load(proxy, guest(import_proxy("log", 3) + import_proxy("get_header_map_value", 5), kLogNumber + R"(
    (data (i32.const 0) ":path")
    (func $get (call $log_number (call $get_header_map_value (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 16) (i32.const 20))))
    (func (export "proxy_on_log") (param i32) (call $get))
    (func (export "proxy_on_done") (param i32) (result i32) (call $get) (i32.const 1))
    (func (export "proxy_on_delete") (param i32) (call $get)))"));
  auto stream = proxy.stream(plugin, {{":path", "/"}});
  stream->request_headers();
  stream->finish();
  EXPECT_EQ(story(proxy), "0 2 2");
}

TEST_P(HostLifecycle, TwoPluginsShareAVmAndNotARoot) {
  TestProxy proxy(options());
  auto module = proxy.compile(wasm(recording()));
  auto* one = *proxy.load(*module, {.name = "one", .configuration = "1"});
  auto* two = *proxy.load(*module, {.name = "two", .configuration = "2"});
  EXPECT_EQ(proxy.metric("wasm.envoy.wasm.runtime.v8.active"), 2);
  proxy.log().clear();
  auto a = proxy.stream(*one, {});
  auto b = proxy.stream(*two, {});
  EXPECT_EQ(story(proxy), "context_create 3 context_create 4");  // roots are 1 and 2
}

TEST_P(HostLifecycle, AModuleThatIsNoneIsRefusedWithAllItsFaults) {
  TestProxy proxy(options());
  auto refused = proxy.load(wasm(R"((module
    (import "env" "proxy_log" (func (param i32)))
    (import "env" "launch_missiles" (func (param i64) (result f64)))
    (func (export "proxy_abi_version_9_9_9"))
    (func (export "malloc") (param i64) (result i32) (i32.const 0))
    (func (export "proxy_on_tick") (param i32 i32))))"),
                            {.name = "odd"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  for (const char* part :
       {"unable to create Wasm plugin odd", "proxy_abi_version_0_2_1 (it has proxy_abi_version_9_9_9)",
        "a memory named \"memory\" is needed", "proxy_on_memory_allocate or malloc", "env.launch_missiles",
        "it imports env.proxy_log as", "it exports proxy_on_tick as"})
    EXPECT_NE(refused.error().message.find(part), std::string::npos) << part << " in " << refused.error().message;
}

TEST_P(HostLifecycle, AnImportOfAnotherVersionIsRefused) {
  const std::string clear = "(import \"env\" \"proxy_clear_route_cache\" (func (result i32)))";
  const struct {
    const char* version;
    std::string import;
    const char* told;  // empty: it is taken
  } tries[] = {
      {"0_1_0", clear, ""},
      {"0_2_0", clear, "ABI 0.1.0 only, in Envoy too; it is one of 0.2.0"},
      {"0_1_0", import_proxy("continue_stream", 1), "ABI 0.2.0 and 0.2.1 only, in Envoy too; it is one of 0.1.0"},
      {"0_2_0", import_proxy("continue_stream", 1), ""},
      {"0_2_0", import_proxy("get_log_level", 1), "ABI 0.2.1 only, in Envoy too; it is one of 0.2.0"},
      {"0_2_1", import_proxy("get_log_level", 1), ""}};
  for (const auto& one : tries) {
    TestProxy proxy(options());
    GuestText text;
    text.version = one.version;
    const auto loaded = proxy.load(wasm(guest(one.import, "", text)), {.name = "n"});
    EXPECT_EQ(static_cast<bool>(loaded), *one.told == '\0') << one.version << one.import;
    if (loaded) continue;
    EXPECT_NE(loaded.error().message.find(one.told), std::string::npos) << loaded.error().message;
  }
}

TEST_P(HostLifecycle, EveryVersionAndOldImportModulesAreTaken) {
  for (const char* version : {"0_1_0", "0_2_0", "0_2_1"}) {
    TestProxy proxy(options());
    GuestText text;
    text.version = version;
    load(proxy, guest(R"(
      (import "wasi_unstable" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
      (import "env" "emscripten_notify_memory_growth" (func (param i32)))
      (import "env" "pthread_equal" (func (param i32 i32) (result i32)))
      (import "env" "proxy_log" (func (param i32 i32 i32) (result i32)))
      (import "env" "proxy_log" (func (param i32 i32 i32) (result i32))))",
                      "", text));
  }
}

}  // namespace
}  // namespace inlay::host
