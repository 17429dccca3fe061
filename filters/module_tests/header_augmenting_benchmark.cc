// SPDX-License-Identifier: Apache-2.0
// What the filter costs on the real host: a request that gets two headers, loading the module, one more VM.

#include <benchmark/benchmark.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "compiler/compiler.h"
#include "engine/engine.h"
#include "testkit/proxy.h"

namespace inlay::testkit {
namespace {

std::vector<uint8_t> read_module() {
  std::ifstream file(INLAY_BINARY_DIR "/wasm/header_augmenting.wasm", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A request's headers and nothing else, so that no embedder's own cost is measured.
struct BareStream final : host::HttpStream {
  http::HeaderMap request;
  http::HeaderMap* headers(abi::MapType type, bool) override {
    return type == abi::MapType::kHttpRequestHeaders ? &request : nullptr;
  }
  Buffer* body(abi::BufferType) override { return nullptr; }
  void continue_stream(host::Direction) override {}
  void send_local_reply(host::LocalReply reply) override { answered = reply.status; }
  void reset(std::string_view) override {}
  void clear_route_cache() override {}
  abi::Status get_property(const std::vector<std::string_view>&, std::string&) override {
    return abi::Status::kNotFound;
  }
  abi::Status set_property(std::string_view, std::string_view, const host::PropertyTraits&) override {
    return abi::Status::kNotFound;
  }
  uint32_t answered = 0;
};

void request_with_two_headers(benchmark::State& state) {
  TestProxy proxy;
  proxy.worker().upstreams().answer(
      "sidecar", "/headers",
      {.body = R"({"authorization":"Bearer abcdefghijklmnopqrstuvwxyz0123456789","x-tenant":"a tenant"})"});
  const auto plugin = proxy.load(read_module(), {.name = "augment", .configuration = "{}"});
  if (!plugin) return state.SkipWithError(plugin.error().message.c_str());
  proxy.advance(std::chrono::seconds(1));
  BareStream stream;
  for (const auto& [name, value] :
       {std::pair(":method", "GET"), std::pair(":path", "/a/path"), std::pair(":authority", "example.com"),
        std::pair(":scheme", "http"), std::pair("user-agent", "benchmark"), std::pair("accept", "*/*")}) {
    stream.request.add(name, value);
  }
  for (auto _ : state) {
    host::HttpContext* context = (*plugin)->create_http_context(stream);
    benchmark::DoNotOptimize(context->on_request_headers(true));
    context->on_log();
    context->destroy();
  }
  if (stream.answered != 0 || !stream.request.has(http::HeaderId::kAuthorization))
    state.SkipWithError("the filter set no headers");
}
BENCHMARK(request_with_two_headers);

// A request whose own token, of so many bytes, was exchanged before.
void request_with_an_exchanged_token(benchmark::State& state) {
  TestProxy proxy;
  const std::string token(static_cast<size_t>(state.range(0)), 't');
  proxy.worker().upstreams().answer(
      "sts", "/token", {.body = R"({"access_token":")" + token + R"(","token_type":"Bearer","expires_in":36000})"});
  const auto plugin =
      proxy.load(read_module(), {.name = "augment", .configuration = R"({"sources": [{"name": "obo", "cluster": "sts",
      "path": "/token", "format": "oauth2", "oauth2": {"grant_type": "token_exchange", "client_id": "gw"}}]})"});
  if (!plugin) return state.SkipWithError(plugin.error().message.c_str());
  const std::string brought = "Bearer " + std::string(static_cast<size_t>(state.range(0)), 's');
  BareStream stream;
  for (const auto& [name, value] :
       {std::pair(":method", "GET"), std::pair(":path", "/a/path"), std::pair(":authority", "example.com"),
        std::pair(":scheme", "http"), std::pair("user-agent", "benchmark"), std::pair("accept", "*/*")}) {
    stream.request.add(name, value);
  }
  const auto ask = [&] {
    stream.request.set("authorization", brought);
    host::HttpContext* context = (*plugin)->create_http_context(stream);
    benchmark::DoNotOptimize(context->on_request_headers(true));
    context->on_log();
    context->destroy();
  };
  ask();
  proxy.advance(std::chrono::seconds(1));
  for (auto _ : state) ask();
  if (stream.answered != 0 || stream.request.get("authorization") != "Bearer " + token)
    state.SkipWithError("the filter exchanged no token");
}
BENCHMARK(request_with_an_exchanged_token)->Arg(64)->Arg(1000)->Arg(4000);

void load_module_from_its_artifact(benchmark::State& state) {
  const auto bytes = read_module();
  compiler::LoadOptions options;
  options.tiering = false;
  for (auto _ : state) {
    const auto module = compiler::load_module(bytes, options);
    if (!module) return state.SkipWithError(module.error().message.c_str());
    benchmark::DoNotOptimize(module);
  }
}
BENCHMARK(load_module_from_its_artifact)->Unit(benchmark::kMillisecond);

double resident_kib() {
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  return resident * 4;
}

void one_more_vm(benchmark::State& state) {
  constexpr size_t kWorkers = 200;
  const auto bytes = read_module();
  double per_vm = 0;
  for (auto _ : state) {
    TestProxy few({.workers = 1});
    const auto module = few.compile(bytes);
    if (!module) return state.SkipWithError(module.error().message.c_str());
    if (!few.load(*module, {.name = "augment", .configuration = "{}"})) return state.SkipWithError("load");
    const double before = resident_kib();
    TestProxy many({.workers = kWorkers});
    if (!many.load(*module, {.name = "augment", .configuration = "{}"})) return state.SkipWithError("load");
    per_vm = (resident_kib() - before) / kWorkers;
  }
  state.counters["KiB_each"] = per_vm;
}
BENCHMARK(one_more_vm)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace inlay::testkit
