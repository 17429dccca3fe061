// SPDX-License-Identifier: Apache-2.0
#pragma once

// What ConnectionManager keeps, and what its connections use of it. Inside of downstream/.

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
class ServerStream;

struct ConnectionManager::Impl {
  Impl(net::EventLoop& event_loop, Options manager_options);
  ~Impl();

  void accept(std::unique_ptr<net::Connection> connection, std::vector<FilterState>* below);
  // The first bytes on it are HTTP/2's: another takes the place of `old`, and gets them.
  void give_to_http2(ServerConnection& old, std::unique_ptr<net::Connection> connection,
                     std::vector<FilterState>* below);
  std::unique_ptr<ServerStream> acquire_stream();
  void recycle_stream(std::unique_ptr<ServerStream> stream);
  // Gives the connection to the loop to destroy.
  void release(ServerConnection& connection);
  // Tells all connections, and `then` when none is left.
  void drain(void (ServerConnection::*how)(), std::function<void()> then);
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
