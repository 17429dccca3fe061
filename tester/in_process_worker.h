// SPDX-License-Identifier: Apache-2.0
#pragma once

// InProcessWorker: a thread of the proxy that runs in process (in_process.h): its loop, its guests, and, when it is a
// worker's, its listener's connection manager with the filters.

#include <memory>
#include <vector>

#include "config/model.h"
#include "host/host.h"
#include "net/connection_owner.h"
#include "proxy/access_log/access_log.h"
#include "proxy/downstream/filter.h"
#include "proxy/downstream/stream_logger.h"
#include "proxy/router/route_table.h"
#include "proxy/tcp/filter.h"
#include "proxy/wasm_filter/attributes.h"
#include "tester/scripted_origin.h"
#include "testkit/worker.h"
#include "upstream/cluster.h"

namespace inlay::tester {

// TranscriptLog is the proxy's log.
class TranscriptLog final : public host::Log {
 public:
  TranscriptLog(const Case& c, OriginScript& script) : case_(c), script_(script) {}
  abi::LogLevel level(std::string_view) const override { return abi::LogLevel::kTrace; }
  void write(abi::LogLevel level, std::string_view component, std::string_view message) override;

 private:
  const Case& case_;
  OriginScript& script_;
};

class InProcessWorker {
 public:
  // What the workers share; outlives them.
  struct Shared {
    const Case& c;
    OriginScript& script;
    testkit::VirtualClock& clock;
    stats::MetricStore& metrics;
    host::Host& host;
    config::Bootstrap bootstrap = {};
    std::shared_ptr<const proxy::router::RouteTable> routes = nullptr;
    std::optional<upstream::ClusterRegistry> clusters = {};
    std::vector<std::shared_ptr<host::Plugin>> plugins = {};  // the network filters' first
    std::optional<proxy::access_log::AccessLog> access_log = {};

    const config::Listener& listener() const { return bootstrap.listeners.at(0); }
  };
  explicit InProcessWorker(Shared& shared);
  // Opens the listener: starts the plugins, and takes connections.
  void serve(Shared& shared);

  net::EventLoop loop;
  std::unique_ptr<testkit::TestWorker> guests;
  std::vector<std::unique_ptr<proxy::downstream::FilterFactory>> http_factories;
  std::vector<std::unique_ptr<proxy::tcp::FilterFactory>> tcp_factories;
  std::unique_ptr<proxy::downstream::StreamLogger> logger;
  std::unique_ptr<net::ConnectionOwner> manager;
  size_t calls_seen = 0;

 private:
  void add_network_filters(Shared& shared, const proxy::wasm_filter::AttributeOptions& attributes);
  std::unique_ptr<net::ConnectionOwner> make_tcp(Shared& shared);
  std::unique_ptr<net::ConnectionOwner> make_http(Shared& shared,
                                                  const proxy::wasm_filter::AttributeOptions& attributes);
  std::vector<proxy::downstream::StreamLogger*> loggers() const;
};

}  // namespace inlay::tester
