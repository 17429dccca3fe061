// SPDX-License-Identifier: Apache-2.0
#include "request.h"

#include <iostream>
#include <utility>

#include "host/host.h"
#include "host/standalone.h"

using namespace inlay;

int run_on_one_request(std::shared_ptr<engine::Module> module, const std::string& configuration) {
  stats::MetricStore metrics;
  host::SystemClock clock;
  host::LineLog log(std::cerr);
  host::Host host({.metrics = &metrics, .clock = &clock, .log = &log});
  const auto plugin = host.create_plugin({.name = "embedded", .configuration = configuration}, std::move(module));
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
  return 0;
}
