// SPDX-License-Identifier: Apache-2.0

// Runs a proxy-wasm module on one request, and prints what it made of it: all that a program needs that embeds the
// host.
//
//     embed MODULE.wasm [CONFIGURATION]
//
// Its guest has no services to call and no timers: an embedder with an event loop gives it both (WorkerServices).

#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>

#include "engine/engine.h"
#include "host/host.h"

using namespace inlay;

struct WallClock : host::Clock {
  template <class C>
  static int64_t now() {
    return std::chrono::nanoseconds(C::now().time_since_epoch()).count();
  }
  int64_t system_time() const override { return now<std::chrono::system_clock>(); }
  int64_t monotonic_time() const override { return now<std::chrono::steady_clock>(); }
};

struct ErrorLog : host::Log {
  abi::LogLevel level(std::string_view) const override { return abi::LogLevel::kInfo; }
  void write(abi::LogLevel, std::string_view, std::string_view line) override { std::cerr << line << '\n'; }
};

struct NoServices : host::WorkerServices, host::Upstreams {
  struct NoTimer : host::Timer {
    void arm(std::chrono::milliseconds) override {}
    void disarm() override {}
  };
  host::Upstreams& upstreams() override { return *this; }
  std::unique_ptr<host::Timer> create_timer(std::function<void()>) override { return std::make_unique<NoTimer>(); }
  void post(std::function<void()>) override {}
  Result<uint64_t> start_http_call(host::HttpCallRequest request, host::HttpCallHandler&) override {
    return Error{ErrorCode::kNotFound, "no cluster " + request.cluster};
  }
  void cancel_http_call(uint64_t) override {}
  abi::Status get_property(const std::vector<std::string_view>&, std::string&) override {
    return abi::Status::kNotFound;
  }
};

struct Request : host::HttpStream {
  host::HeaderMap request_headers;
  host::HeaderMap* headers(abi::MapType type, bool) override {
    return type == abi::MapType::kHttpRequestHeaders ? &request_headers : nullptr;
  }
  host::Buffer* body(abi::BufferType) override { return nullptr; }
  void continue_stream(host::Direction) override {}
  void send_local_reply(host::LocalReply reply) override { std::cout << "answered with " << reply.status << '\n'; }
  void reset(std::string_view details) override { std::cout << "reset: " << details << '\n'; }
  void clear_route_cache() override {}
  abi::Status get_property(const std::vector<std::string_view>&, std::string&) override {
    return abi::Status::kNotFound;
  }
  abi::Status set_property(std::string_view, std::string_view, const host::PropertyTraits&) override {
    return abi::Status::kOk;
  }
};

int main(int argc, char** argv) {
  std::ifstream file(argc > 1 ? argv[1] : "", std::ios::binary);
  const std::vector<uint8_t> bytes(std::istreambuf_iterator<char>(file), {});
  const auto module = engine::Module::load(bytes, {.kind = engine::EngineKind::kInterp});
  if (!module) return std::cerr << module.error().message << '\n', 1;

  host::MetricStore metrics;
  WallClock clock;
  ErrorLog log;
  NoServices services;
  host::HostOptions options;
  options.metrics = &metrics;
  options.clock = &clock;
  options.log = &log;
  host::Host host(options);
  const auto plugin = host.create_plugin({.name = "embedded", .configuration = argc > 2 ? argv[2] : ""}, *module);
  if (!plugin) return std::cerr << plugin.error().message << '\n', 1;
  host::Worker worker(host, services);

  Request request;
  request.request_headers.add(":method", "GET");
  request.request_headers.add(":path", "/");
  request.request_headers.add(":authority", "example");
  if (host::HttpContext* context = worker.attach(*plugin)->create_http_context(request)) {
    context->on_request_headers(true);
    for (const auto& field : request.request_headers) std::cout << field.name << ": " << field.value << '\n';
    context->on_log();
    context->destroy();
  }
}
