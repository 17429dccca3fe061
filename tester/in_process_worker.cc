// SPDX-License-Identifier: Apache-2.0
#include "tester/in_process_worker.h"

#include <utility>
#include <variant>

#include "proxy/downstream/connection_manager.h"
#include "proxy/http_filters/make_filter.h"
#include "proxy/tcp/connection_manager.h"
#include "proxy/tcp/filtered_connections.h"
#include "proxy/tcp/wasm_filter.h"
#include "proxy/wasm_filter/wasm_filter.h"
#include "tester/tcp_origin.h"
#include "tester/world.h"

namespace inlay::tester {

namespace downstream = proxy::downstream;
namespace tcp = proxy::tcp;
using proxy::wasm_filter::AttributeOptions;

namespace {

// Writes access log lines into the transcript.
class TranscriptLogger final : public downstream::StreamLogger {
 public:
  TranscriptLogger(const proxy::access_log::AccessLog& log, OriginScript& script) : log_(log), script_(script) {}
  void log(const downstream::StreamRecord& record) override {
    std::string line;
    log_.append(record, line);
    if (!line.empty()) script_.transcript.line(kAccessLog, line.substr(0, line.size() - 1));
  }

 private:
  const proxy::access_log::AccessLog& log_;
  OriginScript& script_;
};

}  // namespace

void TranscriptLog::write(abi::LogLevel level, std::string_view component, std::string_view message) {
  static constexpr std::string_view kLevels[] = {"trace", "debug", "info", "warn", "error", "critical"};
  ++script_.activity;
  script_.transcript.guest(read_log_line(case_, kLevels[static_cast<size_t>(level)], component, message),
                           script_.thread);
}

namespace {
AttributeOptions attributes_of(InProcessWorker::Shared& shared) {
  return {&shared.bootstrap.node, &shared.listener(), &*shared.clusters, shared.c.legacy_properties};
}
}  // namespace

InProcessWorker::InProcessWorker(Shared& shared)
    : guests(std::make_unique<testkit::TestWorker>(shared.host, shared.clock)) {
  const AttributeOptions attributes = attributes_of(shared);
  guests->set_property_source([attributes](const auto& path, std::string& value) {
    return proxy::wasm_filter::root_attribute(attributes, path, value);
  });
  for (const Upstream& u : shared.c.upstreams) guests->upstreams().add_cluster(u.name);
  for (const config::Cluster& cluster : shared.bootstrap.clusters) guests->upstreams().add_cluster(cluster.name);
}

void InProcessWorker::serve(Shared& shared) {
  const AttributeOptions attributes = attributes_of(shared);
  if (shared.access_log) logger = std::make_unique<TranscriptLogger>(*shared.access_log, shared.script);
  add_network_filters(shared, attributes);
  manager = shared.listener().tcp_proxy ? make_tcp(shared) : make_http(shared, attributes);
}

std::vector<downstream::StreamLogger*> InProcessWorker::loggers() const {
  return logger ? std::vector<downstream::StreamLogger*>{logger.get()} : std::vector<downstream::StreamLogger*>{};
}

void InProcessWorker::add_network_filters(Shared& shared, const AttributeOptions& attributes) {
  for (size_t i = 0; i < shared.listener().network_filters.size(); ++i) {
    tcp_factories.push_back(std::make_unique<tcp::WasmFilterFactory>(
        tcp::WasmFilter::Options{guests->worker().attach(shared.plugins[i]), attributes}));
  }
}

std::unique_ptr<net::ConnectionOwner> InProcessWorker::make_tcp(Shared& shared) {
  const auto& listener = shared.listener();
  tcp_factories.push_back(std::make_unique<TcpOriginFactory>(shared.script, *listener.tcp_proxy));
  std::vector<tcp::FilterFactory*> chain;
  for (const auto& factory : tcp_factories) chain.push_back(factory.get());
  return std::make_unique<tcp::ConnectionManager>(
      loop, tcp::ConnectionManager::Options{listener, shared.metrics, std::move(chain), loggers()});
}

std::unique_ptr<net::ConnectionOwner> InProcessWorker::make_http(Shared& shared, const AttributeOptions& attributes) {
  const auto& listener = shared.listener();
  std::vector<downstream::FilterFactory*> chain;
  size_t plugin = listener.network_filters.size();
  const proxy::http_filters::FilterSurroundings around{loop, guests->upstreams(), shared.metrics, listener.http};
  for (const config::HttpFilter& filter : listener.http.http_filters) {
    if (std::holds_alternative<config::WasmPlugin>(filter.config)) {
      http_factories.push_back(std::make_unique<proxy::wasm_filter::WasmFilterFactory>(
          proxy::wasm_filter::WasmFilter::Options{filter.name, guests->worker().attach(shared.plugins[plugin++]),
                                                  attributes, shared.routes, filter.disabled}));
    } else if (auto native = proxy::http_filters::make_filter(filter, shared.routes, around)) {
      http_factories.push_back(std::move(native));
    } else {
      http_factories.push_back(std::make_unique<ScriptedOriginFactory>(shared.script));
    }
    chain.push_back(http_factories.back().get());
  }
  auto made = std::make_unique<downstream::ConnectionManager>(
      loop, downstream::ConnectionManager::Options{.listener = listener,
                                                   .metrics = shared.metrics,
                                                   .factories = std::move(chain),
                                                   .loggers = loggers(),
                                                   .lengths_as_given = shared.c.envoy_strict});
  if (tcp_factories.empty()) return made;
  std::vector<tcp::FilterFactory*> network_filters;
  for (const auto& factory : tcp_factories) network_filters.push_back(factory.get());
  return std::make_unique<tcp::FilteredConnections>(loop, listener, std::move(network_filters), std::move(made));
}

}  // namespace inlay::tester
