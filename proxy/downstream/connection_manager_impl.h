// SPDX-License-Identifier: Apache-2.0
#pragma once

// What ConnectionManager keeps, and what its connections use of it. Inside of http/.

#include <functional>
#include <memory>
#include <vector>

#include "http/http1_parser.h"
#include "proxy/downstream/connection_manager.h"
#include "proxy/downstream/filter_chain.h"
#include "proxy/downstream/header_rules.h"
#include "proxy/downstream/http_stats.h"

namespace inlay::proxy::downstream {

class ServerConnection;

// ServerStream: a chain and the stream's timers, used again and again by whichever connection has a request.
struct ServerStream {
  ServerStream(net::EventLoop& loop, const config::Listener& listener, const std::vector<FilterFactory*>& factories);

  FilterChain chain;
  ServerConnection* connection = nullptr;
  net::Timer idle;      // stream_idle_timeout
  net::Timer request;   // request_timeout, until the request is complete
  net::Timer duration;  // max_stream_duration
};

struct ConnectionManager::Impl {
  Impl(net::EventLoop& event_loop, Options manager_options);
  ~Impl();

  std::unique_ptr<ServerStream> acquire_stream(ServerConnection& connection);
  void recycle_stream(std::unique_ptr<ServerStream> stream);
  // Gives the connection to the loop to destroy.
  void release(ServerConnection& connection);
  void report_drained();
  // Destroys what nobody has needed since the last time, and comes again while there is something left to destroy.
  void trim_streams();
  // Says so if a peak of buffered bytes is over.
  void look_for_peak();
  void close_all();

  net::EventLoop& loop;
  const Options options;
  const config::HttpConnectionManager& http;
  const http::ParserLimits limits;
  HttpStats stats;
  HeaderRules rules;
  std::vector<std::unique_ptr<ServerConnection>> connections;
  std::vector<std::unique_ptr<ServerStream>> free_streams;
  size_t active_streams = 0;
  size_t most_streams = 0;  // active at once since the last trim_streams()
  bool draining = false;
  std::function<void()> on_drained;
  net::DeferredTask drained_task;
  net::Timer trim_timer;
  net::Timer memory_timer;
};

}  // namespace inlay::proxy::downstream
