// SPDX-License-Identifier: Apache-2.0
// What a stream costs in the host: the sequences that RATIONALE.md and the design compare with Envoy's host library.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>

#include "compiler/compiler.h"
#include "compiler/wat.h"
#include "host/host.h"

namespace inlay::host {
namespace {

struct StillClock final : Clock {
  int64_t system_time() const override { return 0; }
  int64_t monotonic_time() const override { return 0; }
};
struct NoLog final : Log {
  abi::LogLevel level(std::string_view) const override { return abi::LogLevel::kError; }
  void write(abi::LogLevel, std::string_view, std::string_view) override {}
};
struct NoTimer final : Timer {
  void arm(std::chrono::milliseconds) override {}
  void disarm() override {}
};
struct NoServices final : WorkerServices, Upstreams {
  Upstreams& upstreams() override { return *this; }
  std::unique_ptr<Timer> create_timer(std::function<void()>) override { return std::make_unique<NoTimer>(); }
  void post(std::function<void()>) override {}
  abi::Status get_property(const std::vector<std::string_view>&, std::string&) override {
    return abi::Status::kNotFound;
  }
  Result<uint64_t> start_http_call(HttpCallRequest, HttpCallHandler&) override {
    return Error{ErrorCode::kNotFound, "no clusters", ""};
  }
  void cancel_http_call(uint64_t) override {}
};

struct FakeStream final : HttpStream {
  http::HeaderMap request;
  http::HeaderMap* headers(abi::MapType type, bool) override {
    return type == abi::MapType::kHttpRequestHeaders ? &request : nullptr;
  }
  Buffer* body(abi::BufferType) override { return nullptr; }
  void continue_stream(Direction) override {}
  void send_local_reply(LocalReply) override {}
  void reset(std::string_view) override {}
  void clear_route_cache() override {}
  abi::Status get_property(const std::vector<std::string_view>&, std::string&) override {
    return abi::Status::kNotFound;
  }
  abi::Status set_property(std::string_view, std::string_view, const PropertyTraits&) override {
    return abi::Status::kOk;
  }
};

// A guest with all stream callbacks, whose request callback runs `on_headers`.
std::string guest(const std::string& imports, const std::string& on_headers) {
  return "(module\n" + imports + R"((memory (export "memory") 2)
    (data (i32.const 0) "authorization" "x-tenant" "Bearer abcdefghijklmnopqrstuvwxyz0123456789" "cache")
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 65536))
    (func (export "proxy_on_context_create") (param i32 i32))
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) )" +
         on_headers + R"( (i32.const 0))
    (func (export "proxy_on_log") (param i32))
    (func (export "proxy_on_done") (param i32) (result i32) (i32.const 1))
    (func (export "proxy_on_delete") (param i32))))";
}

const char* const kReplaceImport = R"((import "env" "proxy_replace_header_map_value"
    (func $replace (param i32 i32 i32 i32 i32) (result i32))))";
const char* const kReplaceTwo = R"(
    (drop (call $replace (i32.const 0) (i32.const 0) (i32.const 13) (i32.const 21) (i32.const 43)))
    (drop (call $replace (i32.const 0) (i32.const 13) (i32.const 8) (i32.const 21) (i32.const 20))))";
const char* const kSharedImports = R"(
    (import "env" "proxy_get_shared_data" (func $get (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_set_shared_data" (func $set (param i32 i32 i32 i32 i32) (result i32))))";
const char* const kReadShared =
    R"((drop (call $get (i32.const 64) (i32.const 5) (i32.const 1024) (i32.const 1028) (i32.const 1032))))";

void run(benchmark::State& state, const std::string& text) {
  auto bytes = compiler::wat_to_wasm(text);
  if (!bytes) return state.SkipWithError(bytes.error().message.c_str());
  compiler::LoadOptions load;
  load.tiering = false;
  auto module = compiler::load_module(*bytes, load);
  if (!module) return state.SkipWithError(module.error().message.c_str());
  state.SetLabel((*module)->kind() == engine::EngineKind::kAot ? "aot" : "interp");

  stats::MetricStore metrics;
  StillClock clock;
  NoLog log;
  NoServices services;
  HostOptions options;
  options.metrics = &metrics;
  options.clock = &clock;
  options.log = &log;
  Host host(options);
  auto plugin = host.create_plugin({.name = "bench"}, *module);
  if (!plugin) return state.SkipWithError(plugin.error().message.c_str());
  Worker worker(host, services);
  WorkerPlugin* attached = worker.attach(*plugin);
  FakeStream stream;
  stream.request.add(":method", "GET");
  stream.request.add(":path", "/a/path");
  stream.request.add(":authority", "example.com");
  stream.request.add(":scheme", "http");
  stream.request.add("user-agent", "benchmark");
  stream.request.add("accept", "*/*");
  for (auto _ : state) {
    HttpContext* context = attached->create_http_context(stream);
    benchmark::DoNotOptimize(context->on_request_headers(true));
    context->on_log();
    context->destroy();
  }
}

void empty_stream(benchmark::State& state) {
  run(state, guest("", ""));
}
BENCHMARK(empty_stream);

void two_headers_replaced(benchmark::State& state) {
  run(state, guest(kReplaceImport, kReplaceTwo));
}
BENCHMARK(two_headers_replaced);

void two_headers_and_shared_data(benchmark::State& state) {
  // on_configure stores 150 bytes of memory as "cache".
  const std::string text = guest(std::string(kReplaceImport) + kSharedImports, std::string(kReadShared) + kReplaceTwo);
  const std::string configure = R"((func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $set (i32.const 64) (i32.const 5) (i32.const 0) (i32.const 150) (i32.const 0))) (i32.const 1)))";
  run(state, text.substr(0, text.size() - 1) + configure + ")");
}
BENCHMARK(two_headers_and_shared_data);

void header_map_of_a_request(benchmark::State& state) {
  http::HeaderMap map;
  for (auto _ : state) {
    map.clear();
    map.add(":method", "GET");
    map.add(":path", "/a/path");
    map.add(":authority", "example.com");
    map.add(":scheme", "http");
    map.add("user-agent", "benchmark");
    map.add("accept", "*/*");
    map.set("authorization", "Bearer abcdefghijklmnopqrstuvwxyz0123456789");
    benchmark::DoNotOptimize(map.value(http::HeaderId::kAuthority));
  }
}
BENCHMARK(header_map_of_a_request);

}  // namespace
}  // namespace inlay::host
