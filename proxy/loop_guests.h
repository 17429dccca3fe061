// SPDX-License-Identifier: Apache-2.0
#pragma once

// LoopGuests: the guests of one event loop, a worker's or the main thread's, with what they need there: connections to
// the clusters, call-outs, timers. Made, used and destroyed on the loop's thread.

#include <cstdint>

#include "config/model.h"
#include "host/host.h"
#include "net/event_loop.h"
#include "proxy/wasm_filter/attributes.h"
#include "proxy/wasm_filter/worker_services.h"
#include "upstream/cluster_manager.h"
#include "upstream/http_call.h"

namespace inlay::proxy {

// In the order in which things need each other: destruction goes from guests to connections.
struct LoopGuests {
  // All outlive this. `seed` tells the load balancers of the loops apart.
  LoopGuests(net::EventLoop& loop, const config::Bootstrap& bootstrap, upstream::ClusterRegistry& registry,
             host::Host& host, bool legacy_properties, uint64_t seed)
      : clusters(loop, registry, seed),
        calls(loop, clusters),
        services(loop, calls, {&bootstrap.node, nullptr, &registry, legacy_properties}),
        worker(host, services) {}

  upstream::ClusterManager clusters;
  upstream::HttpCalls calls;
  wasm_filter::WorkerServices services;
  host::Worker worker;
};

}  // namespace inlay::proxy
