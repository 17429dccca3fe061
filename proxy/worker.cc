// SPDX-License-Identifier: Apache-2.0
#include "proxy/worker.h"

#include <pthread.h>

#include "proxy/access_log/worker_logs.h"
#include "proxy/http/connection_manager.h"
#include "proxy/net/connection.h"
#include "proxy/router/router_filter.h"
#include "proxy/tls/tls_connection.h"
#include "proxy/upstream/cluster_manager.h"
#include "proxy/upstream/http_call.h"
#include "proxy/wasm_filter/wasm_filter.h"
#include "proxy/wasm_filter/worker_services.h"

namespace inlay::proxy {

// In the order in which things need each other: destruction goes from sockets over streams and guests to pools.
struct Worker::Core {
  Core(const SharedState& shared, net::EventLoop& event_loop, size_t index)
      : shared_(shared),
        loop(event_loop),
        clusters(loop, shared.clusters, index * 0x9e3779b9u),
        calls(loop, clusters),
        services(loop, calls, attributes(nullptr)),
        guests(shared.host, services),
        logs(loop, shared.metrics, shared.log_flush_interval) {}

  wasm_filter::AttributeOptions attributes(const config::Listener* listener) const {
    return {&shared_.bootstrap.node, listener, &shared_.clusters, shared_.compat_legacy_properties,
            shared_.envoy_strict};
  }
  void add_listener(size_t index);
  Result<Unit> listen(size_t index, config::Address& address);

  const SharedState& shared_;
  net::EventLoop& loop;
  upstream::ClusterManager clusters;
  upstream::HttpCalls calls;
  wasm_filter::WorkerServices services;
  host::Worker guests;
  access_log::WorkerLogs logs;
  std::vector<std::unique_ptr<http::FilterFactory>> factories;
  std::vector<std::unique_ptr<http::ConnectionManager>> managers;  // one a listener
  std::vector<std::unique_ptr<net::Listener>> sockets;             // one a listener
  size_t draining = 0;
};

void Worker::Core::add_listener(size_t index) {
  const config::Listener& listener = shared_.bootstrap.listeners[index];
  const SharedState::ListenerParts& parts = shared_.listeners[index];
  std::vector<http::FilterFactory*> chain;
  const auto add = [&](std::unique_ptr<http::FilterFactory> factory) {
    chain.push_back(factory.get());
    factories.push_back(std::move(factory));
  };
  for (size_t i = 0; i < listener.http.http_filters.size(); ++i) {
    const config::HttpFilter& filter = listener.http.http_filters[i];
    if (filter.disabled) continue;
    if (const auto* router = std::get_if<config::RouterFilter>(&filter.config)) {
      add(std::make_unique<router::RouterFilterFactory>(
          filter.name, router::RouterFilter::Options{parts.routes, &clusters, router->suppress_envoy_headers}));
    } else {
      add(std::make_unique<wasm_filter::WasmFilterFactory>(wasm_filter::WasmFilter::Options{
          filter.name, guests.attach(parts.plugins[i]), attributes(&listener), parts.routes}));
    }
  }
  std::vector<http::StreamLogger*> loggers;
  for (size_t i = 0; i < parts.access_logs.size(); ++i) {
    loggers.push_back(logs.attach(parts.access_logs[i], *parts.log_files[i]));
  }
  managers.push_back(std::make_unique<http::ConnectionManager>(
      loop, http::ConnectionManager::Options{listener, shared_.metrics, std::move(chain), std::move(loggers)}));
}

Result<Unit> Worker::Core::listen(size_t index, config::Address& address) {
  http::ConnectionManager& manager = *managers[index];
  INLAY_TRY(auto socket, net::listen(
                             loop, address,
                             [this, &manager, tls = shared_.listeners[index].tls](std::unique_ptr<net::Connection> c) {
                               manager.accept(tls ? tls::accept(loop, std::move(c), tls) : std::move(c));
                             },
                             [this](std::string_view what) {
                               shared_.log.warn("connection", "cannot accept a connection: " + std::string(what));
                             },
                             net::Sharing::kShared));  // each worker has a socket of its own on the address
  address = socket->address();
  sockets.push_back(std::move(socket));
  return Unit{};
}

Worker::Worker(const SharedState& shared, size_t index) : shared_(shared), index_(index) {}

Worker::~Worker() {
  if (!thread_.joinable()) return;
  stop();
  join();
}

Result<Unit> Worker::start(std::vector<config::Address>& addresses) {
  std::promise<Result<Unit>> started;
  auto result = started.get_future();
  thread_ = std::thread([this, &addresses, &started] { run(addresses, started); });
  auto outcome = result.get();
  if (!outcome) join();
  return outcome;
}

void Worker::run(std::vector<config::Address>& addresses, std::promise<Result<Unit>>& started) {
  pthread_setname_np(pthread_self(), ("wrk:" + std::to_string(index_)).c_str());
  host::MetricStore::set_thread_cell(index_ + 1);  // cell 0 is everybody else's
  core_ = std::make_unique<Core>(shared_, loop_, index_);
  Core& core = *core_;
  // All guests first: nobody is let in before the last of them is ready.
  for (size_t i = 0; i < shared_.bootstrap.listeners.size(); ++i) core.add_listener(i);
  for (size_t i = 0; i < addresses.size(); ++i) {
    auto listening = core.listen(i, addresses[i]);
    if (!listening) {
      Error error = listening.error();
      core_.reset();
      started.set_value(std::move(error));
      return;
    }
  }
  started.set_value(Unit{});
  loop_.run();
  core_.reset();
}

void Worker::stop_accepting() {
  loop_.post([this] {
    for (auto& socket : core_->sockets) socket->stop_accepting();
  });
}

void Worker::drain(std::function<void()> on_drained) {
  loop_.post([this, on_drained = std::move(on_drained)] {
    Core* core = core_.get();
    for (auto& socket : core->sockets) socket->stop_accepting();
    core->draining = core->managers.size();
    const auto finish = [core, on_drained] {
      on_drained();
      core->loop.stop();
    };
    if (core->draining == 0) return finish();
    for (auto& manager : core->managers) {
      manager->drain([core, finish] {
        if (--core->draining == 0) net::after_flushes(core->loop, finish);
      });
    }
  });
}

void Worker::stop() {
  loop_.stop();
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace inlay::proxy
