// SPDX-License-Identifier: Apache-2.0

// Runs a proxy-wasm module on one request, and prints what it made of it: all that a program needs that embeds the
// host.
//
//     embed MODULE.wasm [CONFIGURATION]
//
// Its guest has no services to call and no timers: an embedder with an event loop gives it both (host/embedder.h).

#include <fstream>
#include <iostream>
#include <iterator>

#include "compiler/compiler.h"
#include "engine/engine.h"
#include "host/host.h"
#include "host/standalone.h"

using namespace inlay;

int main(int argc, char** argv) {
  std::ifstream file(argc > 1 ? argv[1] : "", std::ios::binary);
  const std::vector<uint8_t> bytes(std::istreambuf_iterator<char>(file), {});
  const auto module = compiler::load_module(bytes, {.kind = engine::EngineKind::kInterp});
  if (!module) return std::cerr << module.error().message << '\n', 1;

  stats::MetricStore metrics;
  host::SystemClock clock;
  host::LineLog log(std::cerr);
  host::Host host({.metrics = &metrics, .clock = &clock, .log = &log});
  const auto plugin = host.create_plugin({.name = "embedded", .configuration = argc > 2 ? argv[2] : ""}, *module);
  if (!plugin) return std::cerr << plugin.error().message << '\n', 1;

  // Of each thread that serves requests.
  host::NoServices services;
  host::Worker worker(host, services);
  host::WorkerPlugin* const filter = worker.attach(*plugin);

  // Of each request.
  host::StandaloneRequest request;
  request.request_headers.add(":method", "GET");
  request.request_headers.add(":path", "/");
  request.request_headers.add(":authority", "example");
  if (host::HttpContext* context = filter->create_http_context(request)) {
    context->on_request_headers(true);
    context->on_log();
    context->destroy();
  }
  services.run_posted();

  if (request.local_reply) std::cout << "answered with " << request.local_reply->status << '\n';
  for (const auto& field : request.request_headers) std::cout << field.name << ": " << field.value << '\n';
}
