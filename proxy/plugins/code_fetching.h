// SPDX-License-Identifier: Apache-2.0
#pragma once

// CodeFetching: RemoteCode on an event loop, with connections and a cache of its own.

#include <cstdint>

#include "config/model.h"
#include "net/event_loop.h"
#include "proxy/logging/log.h"
#include "proxy/plugins/code_cache.h"
#include "proxy/plugins/remote_code.h"
#include "upstream/cluster_manager.h"
#include "upstream/http_call.h"

namespace inlay::proxy::plugins {

// Loop thread only.
struct CodeFetching {
  // All outlive this.
  CodeFetching(net::EventLoop& loop, upstream::ClusterRegistry& registry, logging::Logger& log,
               stats::MetricStore& metrics)
      : clusters(loop, registry),
        calls(loop, clusters, config::kLargestModule),
        cache(""),
        code({loop, calls, cache, log, metrics}) {}

  upstream::ClusterManager clusters;
  upstream::HttpCalls calls;
  CodeCache cache;
  RemoteCode code;
};

// Fetches the code of every plugin that has remote code. The error is the first that could not be had.
Result<Unit> fetch_all(net::EventLoop& loop, const config::Bootstrap& bootstrap, RemoteCode& code);

}  // namespace inlay::proxy::plugins
