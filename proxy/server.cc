// SPDX-License-Identifier: Apache-2.0
#include "proxy/server.h"

#include <malloc.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>

#include "proxy/admin/admin_server.h"
#include "proxy/clock.h"
#include "proxy/http/http_stats.h"
#include "proxy/module_store.h"
#include "proxy/net/event_loop.h"
#include "proxy/port_check.h"
#include "proxy/signal_source.h"
#include "proxy/stop_on_signal.h"
#include "proxy/wasm_filter/attributes.h"
#include "proxy/worker.h"

namespace inlay::proxy {
namespace {

// Names that do not resolve at once must not hold up the start for ever: such a cluster begins without hosts.
constexpr std::chrono::seconds kFirstResolution{5};

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// For a server that will not run: a file is right or wrong whatever the network says.
Result<std::vector<std::string>> resolve_nothing(const std::string&, upstream::DnsFamily) {
  return std::vector<std::string>{};
}

// What is the same for all workers, in the order of construction.
struct Parts {
  Parts(const config::Bootstrap& b, const ServerOptions& options, Logger& l,
        upstream::ResolveFunction resolve = upstream::system_resolve)
      : bootstrap(b),
        log(l),
        metrics(std::max<size_t>(options.concurrency, 1) + 1),
        host({.metrics = &metrics,
              .clock = &clock,
              .log = &l,
              .limits = options.limits,
              .envoy_strict = options.envoy_strict,
              .compat_legacy_properties = options.compat_legacy_properties,
              .root_property =
                  [node = &b.node](const auto& path, std::string& value) {
                    return wasm_filter::root_attribute({.node = node}, path, value);
                  }}),
        clusters(
            b.clusters, metrics, [&l](std::string_view message) { l.warn("upstream", message); }, std::move(resolve)),
        modules(host, l, options.engine),
        log_files({.metrics = metrics, .warn = [&l](std::string_view what) { l.warn("main", what); }}),
        shared{b,
               l,
               metrics,
               host,
               clusters,
               options.compat_legacy_properties,
               {},
               options.log_flush_interval,
               options.envoy_strict} {}

  Result<Unit> open_logs();
  Result<std::shared_ptr<const tls::ServerContext>> prepare_tls(const config::Listener& listener);
  Result<Unit> prepare_listener(const config::Listener& listener);
  Result<Unit> prepare() {
    INLAY_TRY([[maybe_unused]] Unit tls_ready, clusters.prepare_tls());
    for (const config::Listener& listener : bootstrap.listeners) {
      INLAY_TRY([[maybe_unused]] Unit done, prepare_listener(listener));
    }
    return Unit{};
  }

  const config::Bootstrap& bootstrap;
  Logger& log;
  SystemClock clock;
  host::MetricStore metrics;
  host::Host host;
  upstream::ClusterRegistry clusters;
  ModuleStore modules;
  access_log::LogFiles log_files;
  SharedState shared;
};

// Not part of prepare(): a validation makes no files.
Result<Unit> Parts::open_logs() {
  for (size_t i = 0; i < bootstrap.listeners.size(); ++i) {
    for (const config::AccessLog& config : bootstrap.listeners[i].http.access_logs) {
      INLAY_TRY(access_log::LogFile * file, log_files.open(config));
      shared.listeners[i].log_files.push_back(file);
    }
  }
  return Unit{};
}

Result<std::shared_ptr<const tls::ServerContext>> Parts::prepare_tls(const config::Listener& listener) {
  if (!listener.tls) return std::shared_ptr<const tls::ServerContext>();
  auto context = tls::ServerContext::create(*listener.tls, tls::Stats(metrics, http::listener_stat_prefix(listener)));
  if (context) return std::shared_ptr<const tls::ServerContext>(*std::move(context));
  Error error = context.error();
  error.where = "listener '" + listener.name + "', transport_socket";
  return error;
}

Result<Unit> Parts::prepare_listener(const config::Listener& listener) {
  SharedState::ListenerParts parts;
  auto routes = router::RouteTable::compile(listener.http.route_config,
                                            [this](std::string_view name) { return clusters.find(name); });
  if (!routes) {
    Error error = routes.error();
    error.where = "listener '" + listener.name + "', " + error.where;
    return error;
  }
  parts.routes = *routes;
  INLAY_TRY(parts.tls, prepare_tls(listener));
  for (const config::AccessLog& config : listener.http.access_logs) {
    INLAY_TRY(auto compiled, access_log::AccessLog::compile(config));
    parts.access_logs.push_back(std::move(compiled));
  }
  for (const config::HttpFilter& filter : listener.http.http_filters) {
    const auto* wasm = std::get_if<config::WasmFilter>(&filter.config);
    if (wasm == nullptr || filter.disabled) {
      parts.plugins.emplace_back();
      continue;
    }
    INLAY_TRY(auto plugin, modules.create_plugin(*wasm));
    parts.plugins.push_back(std::move(plugin));
  }
  shared.listeners.push_back(std::move(parts));
  return Unit{};
}

}  // namespace

struct Server::Impl final : admin::AdminTarget {
  Impl(const config::Bootstrap& b, ServerOptions o, Logger& l)
      : options(std::move(o)), parts(b, options, l), drain_timer(loop, [this] { end_workers(); }) {
    options.concurrency = std::max<size_t>(options.concurrency, 1);
  }

  Result<Unit> start();
  Result<Unit> start_admin();
  void begin_drain();
  void end_workers();
  void on_signal(int number);

  // admin::AdminTarget
  admin::ServerState state() const override {
    if (draining) return admin::ServerState::kDraining;
    return health_failed ? admin::ServerState::kDraining : admin::ServerState::kLive;
  }
  const config::Bootstrap& bootstrap() const override { return parts.bootstrap; }
  host::MetricStore& metrics() override { return parts.metrics; }
  upstream::ClusterRegistry& clusters() override { return parts.clusters; }
  const std::vector<config::Address>& listener_addresses() const override { return addresses; }
  std::string version() const override { return options.version; }
  size_t concurrency() const override { return options.concurrency; }
  std::vector<std::pair<std::string, std::string>> log_levels() const override { return parts.log.levels(); }
  Result<Unit> set_log_level(std::string_view component, std::string_view level) override {
    return parts.log.set_level(component, level);
  }
  void fail_health_check(bool fail) override { health_failed = fail; }
  void drain_listeners() override {
    for (auto& worker : workers) worker->stop_accepting();
  }
  void quit() override { begin_drain(); }
  void reopen_logs() override {
    parts.log.info("main", "reopening the access logs");
    parts.log_files.reopen();
  }

  ServerOptions options;
  Parts parts;
  net::EventLoop loop;
  net::Timer drain_timer;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<config::Address> addresses;
  std::unique_ptr<admin::AdminServer> admin;
  std::unique_ptr<SignalSource> signals;
  std::atomic<size_t> workers_left{0};
  bool draining = false;
  bool health_failed = false;
};

Result<Unit> Server::Impl::start() {
  for (const config::Listener& listener : parts.bootstrap.listeners) {
    INLAY_TRY([[maybe_unused]] Unit free, check_port_is_free(listener.address));
  }
  if (parts.bootstrap.admin) {
    INLAY_TRY([[maybe_unused]] Unit free, check_port_is_free(parts.bootstrap.admin->address));
  }
  INLAY_TRY([[maybe_unused]] Unit opened, parts.open_logs());
  if (!parts.clusters.wait_resolved(kFirstResolution)) {
    parts.log.warn("upstream", "some clusters' names are not resolved yet; they begin without hosts");
  }
  for (const config::Listener& listener : parts.bootstrap.listeners) addresses.push_back(listener.address);
  for (size_t i = 0; i < options.concurrency; ++i) {
    workers.push_back(std::make_unique<Worker>(parts.shared, i));
    auto started = workers.back()->start(addresses);
    if (!started) {
      workers.pop_back();
      return started.error();
    }
  }
  workers_left = workers.size();
  for (size_t i = 0; i < addresses.size(); ++i) {
    parts.log.info("main", "listener '" + parts.bootstrap.listeners[i].name + "' on " + addresses[i].to_string() +
                               ", " + std::to_string(workers.size()) + (workers.size() == 1 ? " worker" : " workers"));
  }
  INLAY_TRY([[maybe_unused]] Unit admin_started, start_admin());
  malloc_trim(0);  // reading the configuration and the modules took more memory than serving does
  return Unit{};
}

Result<Unit> Server::Impl::start_admin() {
  host::Gauge(parts.metrics.define(abi::MetricType::kGauge, "server.live")).set(1);
  host::Gauge(parts.metrics.define(abi::MetricType::kGauge, "server.concurrency")).set(options.concurrency);
  if (!parts.bootstrap.admin) return Unit{};
  INLAY_TRY(admin, admin::AdminServer::create(loop, parts.bootstrap.admin->address, *this));
  parts.log.info("admin", "admin server on " + admin->address().to_string());
  if (options.admin_address_path.empty()) return Unit{};
  std::ofstream file(options.admin_address_path, std::ios::trunc);
  file << admin->address().to_string();
  if (!file.flush())
    return Error{ErrorCode::kIo, "cannot write the admin server's address", options.admin_address_path};
  return Unit{};
}

void Server::Impl::begin_drain() {
  if (draining) return;
  draining = true;
  host::Gauge(parts.metrics.define(abi::MetricType::kGauge, "server.live")).set(0);
  parts.log.info("main", "draining: no new connections, what is under way is finished");
  drain_timer.arm(options.drain_time);
  for (auto& worker : workers) {
    worker->drain([this] {
      if (--workers_left == 0) loop.stop();
    });
  }
  if (workers.empty()) loop.stop();
}

void Server::Impl::end_workers() {
  for (auto& worker : workers) worker->stop();
  loop.stop();
}

void Server::Impl::on_signal(int number) {
  if (number == SIGUSR1) return reopen_logs();
  if (draining) {
    parts.log.warn("main", "second signal: ending at once");
    parts.modules.stop().request_stop();
    std::_Exit(128 + number);
  }
  parts.log.info("main", number == SIGTERM ? "SIGTERM" : "SIGINT");
  begin_drain();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() {
  impl_->admin.reset();
  for (auto& worker : impl_->workers) worker->stop();
}

Result<std::unique_ptr<Server>> Server::create(const config::Bootstrap& bootstrap, ServerOptions options, Logger& log) {
  if (options.handle_signals) SignalSource::block();
  raise_descriptor_limit();
  auto impl = std::make_unique<Impl>(bootstrap, std::move(options), log);
  {
    std::optional<StopOnSignal> stop;
    if (impl->options.handle_signals) stop.emplace(SignalSource::signals(), impl->parts.modules.stop());
    INLAY_TRY([[maybe_unused]] Unit prepared, impl->parts.prepare());
  }
  if (impl->options.handle_signals) {
    impl->signals = std::make_unique<SignalSource>(impl->loop, [p = impl.get()](int number) { p->on_signal(number); });
  }
  INLAY_TRY([[maybe_unused]] Unit started, impl->start());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Result<Unit> Server::validate(const config::Bootstrap& bootstrap, const ServerOptions& options, Logger& log) {
  Parts parts(bootstrap, options, log, resolve_nothing);
  return parts.prepare();
}

int Server::run() {
  impl_->loop.run();
  for (auto& worker : impl_->workers) worker->stop();
  for (auto& worker : impl_->workers) worker->join();
  impl_->parts.log.info("main", "ended");
  return 0;
}

void Server::shutdown() {
  impl_->loop.post([impl = impl_.get()] { impl->begin_drain(); });
}

const std::vector<config::Address>& Server::listener_addresses() const {
  return impl_->addresses;
}

config::Address Server::admin_address() const {
  return impl_->admin ? impl_->admin->address() : config::Address{};
}

}  // namespace inlay::proxy
