// SPDX-License-Identifier: Apache-2.0
#include "proxy/worker.h"

#include <algorithm>

#include "config/plugins.h"
#include "net/connection.h"
#include "net/connection_owner.h"
#include "proxy/access_log/filtered_logger.h"
#include "proxy/access_log/worker_logs.h"
#include "proxy/chain_choice.h"
#include "proxy/downstream/connection_manager.h"
#include "proxy/downstream/listener_stats.h"
#include "proxy/http_filters/make_filter.h"
#include "proxy/loop_guests.h"
#include "proxy/router/router_filter.h"
#include "proxy/tcp/closed_connections.h"
#include "proxy/tcp/connection_manager.h"
#include "proxy/tcp/filtered_connections.h"
#include "proxy/tcp/tcp_proxy.h"
#include "proxy/tcp/wasm_filter.h"
#include "proxy/wasm_filter/access_logger.h"
#include "proxy/wasm_filter/wasm_filter.h"
#include "tls/tls_connection.h"

namespace inlay::proxy {

namespace {

constexpr int64_t kRefusalInterval = 1'000'000'000;

}  // namespace

// In the order in which things need each other: destruction goes from sockets over streams and guests to pools.
struct Worker::Core {
  Core(const SharedState& shared, WorkerThread& on)
      : shared_(shared),
        thread(on),
        loop(on.loop()),
        seed(static_cast<uint32_t>(on.index()) * 0x9e3779b9u),
        guests(loop, shared.bootstrap, shared.clusters, shared.host, shared.compat_legacy_properties, seed),
        logs(loop, shared.metrics, shared.log_flush_interval),
        managers(shared.bootstrap.listeners.size()) {
    for (const SharedState::Plugin& service : shared.services) guests.worker.attach(service);
  }

  wasm_filter::AttributeOptions attributes(const config::Listener& listener) const {
    return {&shared_.bootstrap.node, &listener, &shared_.clusters, shared_.compat_legacy_properties};
  }
  void add_listener(size_t index);
  std::unique_ptr<net::ConnectionOwner> make_http(size_t index, std::vector<downstream::StreamLogger*> stream_loggers);
  std::vector<tcp::FilterFactory*> make_network_filters(size_t index);
  std::unique_ptr<net::ConnectionOwner> make_tcp(size_t index, std::vector<downstream::StreamLogger*> stream_loggers);
  downstream::StreamLogger* add_logger(const config::Listener& listener, const SharedState::AccessLogger& logger);
  Result<std::shared_ptr<const net::ListeningSocket>> socket_for(size_t index, const Address& address);
  void accept(size_t index, std::unique_ptr<net::Connection> connection);
  net::AcceptHandler acceptor(size_t index);
  Result<Address> listen(size_t index, const Address& address);
  net::Admission admission(size_t index);
  void log_refusal(const config::Listener& listener, const std::string& why);

  void drain(Drain how, const std::function<void()>& on_drained);

  const SharedState& shared_;
  WorkerThread& thread;
  net::EventLoop& loop;
  const uint32_t seed;  // so that workers begin with different hosts
  LoopGuests guests;
  access_log::WorkerLogs logs;
  std::vector<std::unique_ptr<downstream::StreamLogger>> loggers;
  std::vector<std::unique_ptr<downstream::FilterFactory>> factories;
  std::vector<std::unique_ptr<tcp::FilterFactory>> tcp_factories;
  std::vector<std::unique_ptr<net::ConnectionOwner>> managers;  // one for each listener; null until it opens
  std::vector<std::unique_ptr<ChainChoice>> choices;            // of listeners with several filter chains
  std::vector<std::unique_ptr<net::Listener>> sockets;          // of the open listeners
  size_t draining = 0;
};

void Worker::Core::add_listener(size_t index) {
  const config::Listener& listener = shared_.bootstrap.listeners[index];
  std::vector<downstream::StreamLogger*> stream_loggers;
  for (const auto& logger : shared_.listeners[index].access_loggers)
    stream_loggers.push_back(add_logger(listener, logger));
  if (listener.closes_at_once) {
    managers[index] = std::make_unique<tcp::ClosedConnections>(loop, shared_.metrics, listener);
    return;
  }
  managers[index] =
      listener.tcp_proxy ? make_tcp(index, std::move(stream_loggers)) : make_http(index, std::move(stream_loggers));
}

std::vector<tcp::FilterFactory*> Worker::Core::make_network_filters(size_t index) {
  std::vector<tcp::FilterFactory*> chain;
  for (const auto& plugin : shared_.listeners[index].network_plugins) {
    tcp_factories.push_back(std::make_unique<tcp::WasmFilterFactory>(
        tcp::WasmFilter::Options{guests.worker.attach(plugin), attributes(shared_.bootstrap.listeners[index])}));
    chain.push_back(tcp_factories.back().get());
  }
  return chain;
}

std::unique_ptr<net::ConnectionOwner> Worker::Core::make_tcp(size_t index,
                                                             std::vector<downstream::StreamLogger*> stream_loggers) {
  const config::Listener& listener = shared_.bootstrap.listeners[index];
  std::vector<tcp::FilterFactory*> chain = make_network_filters(index);
  tcp_factories.push_back(
      std::make_unique<tcp::TcpProxyFactory>(loop, *listener.tcp_proxy, guests.clusters, shared_.metrics, seed));
  chain.push_back(tcp_factories.back().get());
  return std::make_unique<tcp::ConnectionManager>(
      loop, tcp::ConnectionManager::Options{listener, shared_.metrics, std::move(chain), std::move(stream_loggers)});
}

std::unique_ptr<net::ConnectionOwner> Worker::Core::make_http(size_t index,
                                                              std::vector<downstream::StreamLogger*> stream_loggers) {
  const config::Listener& listener = shared_.bootstrap.listeners[index];
  const SharedState::ListenerParts& parts = shared_.listeners[index];
  std::vector<downstream::FilterFactory*> chain;
  const auto add = [&](std::unique_ptr<downstream::FilterFactory> factory) {
    chain.push_back(factory.get());
    factories.push_back(std::move(factory));
  };
  const http_filters::FilterSurroundings around{loop, guests.calls, shared_.metrics, listener.http};
  for (size_t i = 0; i < listener.http.http_filters.size(); ++i) {
    const config::HttpFilter& filter = listener.http.http_filters[i];
    if (!config::is_ever_on(filter, listener.http)) continue;
    if (const auto* router = std::get_if<config::RouterFilter>(&filter.config)) {
      add(std::make_unique<router::RouterFilterFactory>(
          filter.name, router::RouterFilter::Options{
                           parts.routes, &guests.clusters, router->suppress_envoy_headers,
                           listener.http.scheme_matches_upstream && listener.http.scheme_to_overwrite.empty()}));
    } else if (auto native = http_filters::make_filter(filter, parts.routes, around)) {
      add(std::move(native));
    } else {
      add(std::make_unique<wasm_filter::WasmFilterFactory>(wasm_filter::WasmFilter::Options{
          filter.name, guests.worker.attach(parts.plugins[i]), attributes(listener), parts.routes, filter.disabled}));
    }
  }
  auto manager = std::make_unique<downstream::ConnectionManager>(
      loop, downstream::ConnectionManager::Options{.listener = listener,
                                                   .metrics = shared_.metrics,
                                                   .factories = std::move(chain),
                                                   .loggers = std::move(stream_loggers),
                                                   .on_peak_over = shared_.on_peak_over,
                                                   .lengths_as_given = shared_.envoy_strict});
  std::vector<tcp::FilterFactory*> network_filters = make_network_filters(index);
  if (network_filters.empty()) return manager;
  return std::make_unique<tcp::FilteredConnections>(loop, listener, std::move(network_filters), std::move(manager));
}

downstream::StreamLogger* Worker::Core::add_logger(const config::Listener& listener,
                                                   const SharedState::AccessLogger& logger) {
  if (!logger.plugin) return logs.attach(logger.log, *logger.file);
  const auto keep = [this](std::unique_ptr<downstream::StreamLogger> made) {
    loggers.push_back(std::move(made));
    return loggers.back().get();
  };
  downstream::StreamLogger* guest =
      keep(std::make_unique<wasm_filter::AccessLogger>(*guests.worker.attach(logger.plugin), attributes(listener)));
  return keep(std::make_unique<access_log::FilteredLogger>(logger.log, *guest));
}

net::Admission Worker::Core::admission(size_t index) {
  const config::Listener& listener = shared_.bootstrap.listeners[index];
  net::ClientLimit* const all = listener.ignore_global_conn_limit ? nullptr : shared_.clients.get();
  net::ClientLimit* const own = shared_.listeners[index].clients.get();
  const downstream::ListenerStats stats(shared_.metrics, listener);
  const auto on_refused = [this, &listener, own, stats](net::Refusal why) {
    const bool by_listener = why == net::Refusal::kListener;
    (by_listener ? stats.cx_overflow : stats.global_cx_overflow).add();
    log_refusal(listener, by_listener ? "it has " + std::to_string(own->count()) + ", its connection_limit"
                                      : "there are " + std::to_string(shared_.clients->count()) +
                                            " in all, what global_downstream_max_connections or ulimit -n allows");
  };
  return {.all = all, .own = own, .on_refused = on_refused, .keep_descriptors = true};
}

// One line a second, whichever worker has it.
void Worker::Core::log_refusal(const config::Listener& listener, const std::string& why) {
  int64_t next = shared_.next_refusal->load(std::memory_order_relaxed);
  if (loop.now() < next || !shared_.next_refusal->compare_exchange_strong(next, loop.now() + kRefusalInterval)) return;
  shared_.log.warn("connection", "listener '" + listener.name + "' closes new clients at once: " + why);
}

// Each worker has a socket of its own on the address, where the system lets it. One that is closed takes with it the
// clients that wait for it: so an earlier configuration's goes on under another descriptor.
Result<std::shared_ptr<const net::ListeningSocket>> Worker::Core::socket_for(size_t index, const Address& address) {
  if (const auto held = thread.socket(address)) return held->duplicate();
  if (const auto& pipe = shared_.listeners[index].pipe) return pipe->get(address);
  return net::ListeningSocket::open(address, net::Sharing::kShared);
}

void Worker::Core::accept(size_t index, std::unique_ptr<net::Connection> connection) {
  if (!managers[index]) return;  // a chain that waits for the code of its plugins: the connection is closed
  const auto& tls = shared_.listeners[index].tls;
  managers[index]->accept(tls ? tls::accept(loop, std::move(connection), tls) : std::move(connection));
}

// What to do with the connections of the listener that has the socket.
net::AcceptHandler Worker::Core::acceptor(size_t index) {
  const std::vector<config::Listener>& all = shared_.bootstrap.listeners;
  if (!all[index].chooses_chain) {
    return [this, index](std::unique_ptr<net::Connection> c) { accept(index, std::move(c)); };
  }
  std::vector<ChainChoice::Chain> chains;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i != index && all[i].chain_of != index) continue;
    chains.push_back({&all[i].chain_match, [this, i](std::unique_ptr<net::Connection> c) { accept(i, std::move(c)); }});
  }
  choices.push_back(std::make_unique<ChainChoice>(loop, all[index], shared_.metrics, std::move(chains)));
  return [choice = choices.back().get()](std::unique_ptr<net::Connection> c) { choice->accept(std::move(c)); };
}

Result<Address> Worker::Core::listen(size_t index, const Address& address) {
  if (shared_.bootstrap.listeners[index].chain_of) return address;  // another one has the socket
  INLAY_TRY(auto bound, socket_for(index, address));
  thread.remember(bound);
  INLAY_TRY(auto socket, net::listen(
                             loop, std::move(bound), acceptor(index),
                             [this](std::string_view what) {
                               shared_.log.warn("connection", "cannot accept a connection: " + std::string(what));
                             },
                             admission(index)));
  sockets.push_back(std::move(socket));
  return sockets.back()->address();
}

void Worker::Core::drain(Drain how, const std::function<void()>& on_drained) {
  for (auto& socket : sockets) socket->stop_accepting();
  for (auto& choice : choices) {
    if (how == Drain::kForEnd) choice->close_all();
    if (!choice->all_decided()) return choice->when_all_decided([this, how, on_drained] { drain(how, on_drained); });
  }
  draining = static_cast<size_t>(
      std::count_if(managers.begin(), managers.end(), [](const auto& manager) { return manager != nullptr; }));
  if (draining == 0) return on_drained();
  for (auto& manager : managers) {
    if (!manager) continue;
    const auto drained = [this, how, on_drained] {
      if (--draining > 0) return;
      how == Drain::kForEnd ? net::after_flushes(loop, on_drained) : on_drained();
    };
    how == Drain::kForEnd ? manager->drain(drained) : manager->retire(drained);
  }
}

Worker::Worker(const SharedState& shared, WorkerThread& thread) : shared_(shared), thread_(thread) {}

Worker::~Worker() {
  thread_.destroy(core_);
}

void Worker::start(std::vector<bool> open) {
  thread_.run([this, open = std::move(open)] {
    auto core = std::make_shared<Core>(shared_, thread_);
    core_ = core.get();
    thread_.keep(std::move(core));
    for (size_t i = 0; i < open.size(); ++i)
      if (open[i]) core_->add_listener(i);
    started_.set_value();
  });
}

Result<Unit> Worker::listen(std::vector<Address>& addresses, const std::vector<bool>& open) {
  std::promise<Result<Unit>> listening;
  auto result = listening.get_future();
  thread_.loop().post([this, &addresses, &open, &listening] {
    for (size_t i = 0; i < open.size(); ++i) {
      if (!open[i]) continue;
      auto bound = core_->listen(i, addresses[i]);
      if (!bound) return listening.set_value(std::move(bound).error());
      addresses[i] = *std::move(bound);
    }
    listening.set_value(Unit{});
  });
  return result.get();
}

void Worker::open(size_t listener, Address address, std::function<void(Result<Address>)> done) {
  thread_.loop().post([this, listener, address = std::move(address), done = std::move(done)] {
    core_->add_listener(listener);
    done(core_->listen(listener, address));
  });
}

void Worker::replace_plugin(std::shared_ptr<const host::Plugin> without_code, std::shared_ptr<host::Plugin> plugin) {
  thread_.loop().post([this, without_code = std::move(without_code), plugin = std::move(plugin)] {
    core_->guests.worker.replace(*without_code, plugin);
  });
}

void Worker::stop_accepting() {
  thread_.loop().post([this] {
    for (auto& socket : core_->sockets) socket->stop_accepting();
  });
}

void Worker::drain(Drain how, std::function<void()> on_drained) {
  thread_.loop().post([this, how, on_drained = std::move(on_drained)] { core_->drain(how, on_drained); });
}

}  // namespace inlay::proxy
