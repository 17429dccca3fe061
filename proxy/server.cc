// SPDX-License-Identifier: Apache-2.0
#include "proxy/server.h"

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <optional>

#include "base/files.h"
#include "net/descriptors.h"
#include "net/event_loop.h"
#include "proxy/admin/admin_server.h"
#include "proxy/file_follower.h"
#include "proxy/late_listeners.h"
#include "proxy/loop_guests.h"
#include "proxy/memory_return.h"
#include "proxy/plugins/code_fetching.h"
#include "proxy/plugins/remote_plugins.h"
#include "proxy/port_check.h"
#include "proxy/server_parts.h"
#include "proxy/signal_source.h"
#include "proxy/start_watch.h"
#include "proxy/stop_on_signal.h"
#include "proxy/wasm_filter/attributes.h"
#include "proxy/worker.h"

namespace inlay::proxy {
namespace {

// Names that do not resolve at once must not hold up the start for ever: such a cluster begins without hosts.
constexpr std::chrono::seconds kFirstResolution{5};
// Clients can bring about a peak whenever they want, and all threads feel what it takes to return its memory.
constexpr std::chrono::minutes kGiveMemoryBackEvery{1};

// For a server that will not run: a file is right or wrong whatever the network says.
Result<std::vector<std::string>> resolve_nothing(const std::string&, upstream::DnsFamily) {
  return std::vector<std::string>{};
}

}  // namespace

struct Server::Impl final : admin::AdminTarget, plugins::RemotePlugins::Observer {
  ~Impl() override { watch.end(); }  // its thread reads `admin`
  Impl(const config::Bootstrap& b, ServerOptions o, logging::Logger& l)
      : options(std::move(o)),
        parts(b, options, l),
        watch(l),
        drain_timer(loop, [this] { end_workers(); }),
        memory(
            loop, [] { malloc_trim(0); }, kGiveMemoryBackEvery),
        late(loop, parts.shared, workers, addresses,
             [this](size_t listener, const Result<Unit>& outcome) { on_late_listener(listener, outcome); }) {
    options.concurrency = std::max<size_t>(options.concurrency, 1);
    parts.shared.on_peak_over = [this] { memory.on_peak_over(); };
  }

  Result<Unit> check_ports() const;
  Result<Unit> prepare();
  Result<Unit> follow_files();
  Result<Unit> start();
  Result<Unit> start_all();
  // Whether a signal has ended the start.
  bool stopped() { return parts.modules.stop().stop_requested(); }
  Result<Unit> go_on();
  Result<Unit> start_workers();
  void limit_clients();
  void await_names();
  void start_on_main_thread(const std::shared_ptr<host::Plugin>& plugin);
  void log_listener(size_t i);
  void on_late_listener(size_t i, const Result<Unit>& outcome);
  Result<Unit> start_admin();
  Result<Unit> write_admin_address();
  void begin_drain();
  void end_workers();
  void on_signal(int number);

  // RemotePlugins::Observer
  void on_plugin(const SharedState::Plugin& placeholder, SharedState::Plugin plugin) override;
  void on_settled(const host::Plugin& placeholder) override { late.on_settled(placeholder); }

  // admin::AdminTarget
  admin::ServerState state() const override {
    if (draining || health_failed) return admin::ServerState::kDraining;
    return late.pending() ? admin::ServerState::kInitializing : admin::ServerState::kLive;
  }
  std::string waits_for() const override { return "waiting for the code of plugins"; }
  const config::Bootstrap& bootstrap() const override { return parts.bootstrap; }
  stats::MetricStore& metrics() override { return parts.metrics; }
  upstream::ClusterRegistry& clusters() override { return parts.clusters; }
  const std::vector<Address>& listener_addresses() const override { return addresses; }
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
  ServerParts parts;
  net::EventLoop loop;
  StartWatch watch;  // other threads may tell it what they do, also after the start
  net::Timer drain_timer;
  MemoryReturn memory;
  std::optional<FileFollower> files;              // only when some file is followed
  std::optional<LoopGuests> guests;               // the main thread's; only when there is some plugin
  std::optional<plugins::CodeFetching> fetching;  // only when some code is remote
  std::optional<plugins::RemotePlugins> remote;   // as `fetching`
  std::vector<Address> addresses;
  std::optional<uint64_t> descriptors;  // how many there may be
  std::vector<std::unique_ptr<Worker>> workers;
  LateListeners late;
  std::unique_ptr<admin::AdminServer> admin;
  std::unique_ptr<SignalSource> signals;
  std::atomic<size_t> workers_left{0};
  bool told_of_names = false;
  bool never_started = false;  // a signal has ended the start
  bool draining = false;
  bool health_failed = false;
  int status = 0;
};

namespace {

// As in Envoy, a plugin whose code would have to be fetched first then ends the start.
Error not_cached(const config::WasmPlugin& wasm) {
  return {ErrorCode::kFailedPrecondition,
          "the code of plugin " + wasm.plugin.name + " is not in the cache, and nack_on_code_cache_miss is set",
          wasm.code.filename};
}

}  // namespace

Result<Unit> Server::Impl::prepare() {
  parts.create_remote_plugin = [this](const config::WasmPlugin& wasm) -> Result<std::shared_ptr<host::Plugin>> {
    if (!remote) {
      fetching.emplace(loop, parts.clusters, parts.log, parts.metrics);
      remote.emplace(loop, fetching->code, parts.modules, parts.host, parts.log, *this);
    }
    INLAY_TRY(auto plugin, remote->create(wasm));
    if (!plugin->module() && wasm.code.nack_on_code_cache_miss) return not_cached(wasm);
    return plugin;
  };
  parts.on_plugin = [this](const std::shared_ptr<host::Plugin>& plugin) { start_on_main_thread(plugin); };
  INLAY_RETURN_IF_ERROR(parts.prepare());
  for (size_t i = 0; remote && i < parts.shared.listeners.size(); ++i) {
    parts.shared.listeners[i].for_each_plugin([&](const SharedState::Plugin& plugin) {
      if (remote->worth_waiting_for(*plugin)) late.await(i, *plugin);
    });
  }
  return Unit{};
}

Result<Unit> Server::Impl::follow_files() {
  for (const SharedState::ListenerParts& listener : parts.shared.listeners) {
    if (!listener.routes || listener.routes->followed_files().empty()) continue;
    if (!files) files.emplace(loop, parts.log);
    INLAY_RETURN_IF_ERROR(files->follow(*listener.routes));
  }
  return Unit{};
}

// As Envoy's main thread, ours has an instance of every plugin, singleton or not: from the canary on, which is before
// the workers', so that what they send to a singleton's queue finds it, and that a queue which both register is a
// worker's.
void Server::Impl::start_on_main_thread(const std::shared_ptr<host::Plugin>& plugin) {
  if (!guests) await_names();
  if (stopped()) return;
  if (!guests) {
    guests.emplace(loop, parts.bootstrap, parts.clusters, parts.host, options.compat_legacy_properties,
                   options.concurrency);
  }
  watch.doing("starting plugin " + plugin->config().name + " on the main thread");
  guests->worker.attach(plugin);
}

// A guest may call any cluster as soon as it starts: so before the first one, and before the workers. Names that are
// not resolved in time hold the start up once.
void Server::Impl::await_names() {
  watch.doing("resolving the clusters' names");
  if (parts.clusters.wait_resolved(kFirstResolution, parts.modules.stop().get_token()) || stopped()) return;
  if (std::exchange(told_of_names, true)) return;
  parts.log.warn("upstream", "some clusters' names are not resolved yet; they begin without hosts");
}

void Server::Impl::on_plugin(const SharedState::Plugin& placeholder, SharedState::Plugin plugin) {
  late.on_plugin(*placeholder, plugin);
  if (guests) guests->worker.replace(*placeholder, plugin);
  for (auto& worker : workers) worker->replace_plugin(placeholder, plugin);
}

void Server::Impl::log_listener(size_t i) {
  parts.log.info("main", "listener '" + parts.bootstrap.listeners[i].name + "' on " + addresses[i].to_string() + ", " +
                             std::to_string(workers.size()) + (workers.size() == 1 ? " worker" : " workers"));
}

void Server::Impl::on_late_listener(size_t i, const Result<Unit>& outcome) {
  if (outcome) return log_listener(i);
  parts.log.error(
      "main", "listener '" + parts.bootstrap.listeners[i].name + "' cannot be opened: " + outcome.error().to_string());
  status = 1;
  begin_drain();
}

// Half of what is left is for clients, so that each may have a connection to an upstream. After the workers have
// started, since what they have open for themselves is not left.
void Server::Impl::limit_clients() {
  const auto& configured = parts.bootstrap.max_clients;
  net::ClientLimit& clients = *parts.shared.clients;
  if (configured) clients.set_most(*configured);
  if (!descriptors) return;
  net::keep_last_descriptors(*descriptors);
  const uint64_t taken =
      net::open_descriptors() + addresses.size() * workers.size() + net::kept_descriptors(*descriptors);
  const uint64_t left = *descriptors > taken ? *descriptors - taken : 0;
  const uint64_t fit = std::max<uint64_t>(left / 2, 1);
  if (!configured) clients.set_most(fit);
  const std::string words = std::to_string(*descriptors) + " descriptors (ulimit -n)";
  if (configured && *configured > left) {
    parts.log.warn("main", "max_active_downstream_connections is " + std::to_string(*configured) + ", but of " + words +
                               " only " + std::to_string(left) + " are left for clients and upstreams");
  } else if (!configured) {
    parts.log.info("main", "at most " + std::to_string(fit) + " clients at once, half of what is left of " + words +
                               "; envoy.resource_monitors.global_downstream_max_connections sets another number");
  }
}

Result<Unit> Server::Impl::start_workers() {
  std::vector<bool> open;
  for (size_t i = 0; i < addresses.size(); ++i) open.push_back(!late.waits(i));
  for (size_t i = 0; i < options.concurrency; ++i) {
    workers.push_back(std::make_unique<Worker>(parts.shared, i));
    workers.back()->start(open);
  }
  watch.initializing();
  for (size_t i = 0; i < workers.size(); ++i) {
    watch.doing("starting the plugins of worker " + std::to_string(i + 1) + " of " + std::to_string(workers.size()));
    workers[i]->wait_started();
  }
  INLAY_RETURN_IF_ERROR(go_on());
  limit_clients();
  // From here on the admin server answers, and not that the start is under way: a cluster may lead to it.
  watch.end();
  // Nobody is let in before the last guest is ready: one that sets shared data up when it starts would else undo what
  // another has written for a request.
  for (auto& worker : workers) {
    INLAY_RETURN_IF_ERROR(worker->listen(addresses, open));
  }
  workers_left = workers.size();
  for (size_t i = 0; i < addresses.size(); ++i) {
    if (open[i])
      log_listener(i);
    else
      parts.log.info("main", "listener '" + parts.bootstrap.listeners[i].name + "' waits for the code of its plugins");
  }
  late.start();
  if (remote) remote->start();
  return Unit{};
}

Result<Unit> Server::Impl::check_ports() const {
  for (const config::Listener& listener : parts.bootstrap.listeners) {
    INLAY_RETURN_IF_ERROR(check_port_is_free(listener.address));
  }
  if (parts.bootstrap.admin) {
    INLAY_RETURN_IF_ERROR(check_port_is_free(parts.bootstrap.admin->address));
  }
  return Unit{};
}

Result<Unit> Server::Impl::go_on() {
  if (!stopped()) return Unit{};
  return Error{ErrorCode::kUnavailable, "stopped", {}};
}

Result<Unit> Server::Impl::start() {
  INLAY_RETURN_IF_ERROR(parts.open_logs());
  await_names();
  INLAY_RETURN_IF_ERROR(go_on());
  for (const config::Listener& listener : parts.bootstrap.listeners) addresses.push_back(listener.address);
  INLAY_RETURN_IF_ERROR(start_workers());
  INLAY_RETURN_IF_ERROR(write_admin_address());
  malloc_trim(0);  // reading the configuration and the modules took more memory than serving does
  return Unit{};
}

// Its socket before all else, so that a client hears how far the start is; and, as in Envoy, before the listeners': a
// cluster may lead to it.
Result<Unit> Server::Impl::start_admin() {
  parts.modules.set_progress([this](std::string what) { watch.doing(std::move(what)); });
  stats::Gauge(parts.metrics.define(abi::MetricType::kGauge, "server.live")).set(1);
  stats::Gauge(parts.metrics.define(abi::MetricType::kGauge, "server.concurrency")).set(options.concurrency);
  if (!parts.bootstrap.admin) {
    watch.begin(-1, {});
    return Unit{};
  }
  INLAY_TRY(admin, admin::AdminServer::create(loop, *parts.bootstrap.admin, *this));
  watch.begin(admin->socket(), [this](std::string_view path) { return admin->allows(path); });
  parts.log.info("admin", "admin server on " + admin->address().to_string());
  return Unit{};
}

// When everything is up: whoever waits for the file may begin.
Result<Unit> Server::Impl::write_admin_address() {
  if (!admin || options.admin_address_path.empty()) return Unit{};
  return replace_file(options.admin_address_path, admin->address().to_string());
}

// While it lasts, nobody takes a signal; once it is done, the loop does.
Result<Unit> Server::Impl::start_all() {
  std::optional<StopOnSignal> stop;
  if (options.handle_signals) stop.emplace(SignalSource::ending(), parts.modules.stop());
  INLAY_RETURN_IF_ERROR(check_ports());
  INLAY_RETURN_IF_ERROR(start_admin());
  INLAY_RETURN_IF_ERROR(prepare());
  INLAY_RETURN_IF_ERROR(follow_files());
  if (options.handle_signals) signals = std::make_unique<SignalSource>(loop, [this](int number) { on_signal(number); });
  return start();
}

void Server::Impl::begin_drain() {
  if (draining) return;
  draining = true;
  late.stop();
  stats::Gauge(parts.metrics.define(abi::MetricType::kGauge, "server.live")).set(0);
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
  if (number == SIGHUP) {
    return parts.log.warn("main", "SIGHUP changes nothing: a new configuration needs a new start");
  }
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

Result<std::unique_ptr<Server>> Server::create(const config::Bootstrap& bootstrap, ServerOptions options,
                                               logging::Logger& log) {
  if (options.handle_signals) SignalSource::block();
  const auto descriptors = net::raise_descriptor_limit();
  auto impl = std::make_unique<Impl>(bootstrap, std::move(options), log);
  impl->descriptors = descriptors;
  auto started = impl->start_all();
  if (!started && impl->stopped()) {
    impl->never_started = true;
    impl->parts.log.info("main", "ended by a signal before the start was done");
  } else if (!started) {
    return std::move(started).error();
  }
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Result<Unit> Server::validate(const config::Bootstrap& bootstrap, const ServerOptions& options, logging::Logger& log) {
  ServerParts parts(bootstrap, options, log, options.fetch_remote_code ? upstream::system_resolve : resolve_nothing);
  net::EventLoop loop;
  plugins::CodeFetching fetching(loop, parts.clusters, parts.log, parts.metrics);
  if (options.fetch_remote_code) {
    (void)parts.clusters.wait_resolved(kFirstResolution);
    INLAY_RETURN_IF_ERROR(fetch_all(loop, bootstrap, fetching.code));
  }
  parts.create_remote_plugin = [&](const config::WasmPlugin& wasm) -> Result<std::shared_ptr<host::Plugin>> {
    if (plugins::Code code = fetching.code.find(*wasm.code.remote))
      return parts.modules.create_plugin(plugins::with_code(wasm, code));
    if (wasm.code.nack_on_code_cache_miss) return not_cached(wasm);
    log.warn("wasm", "plugin " + (wasm.plugin.name.empty() ? wasm.plugin.root_id : wasm.plugin.name) +
                         " is not checked: " + wasm.code.filename +
                         " has not been fetched yet; --fetch-remote-code fetches it");
    return parts.host.create_plugin_without_code(wasm.plugin);
  };
  return parts.prepare();
}

int Server::run() {
  if (!impl_->never_started) impl_->loop.run();
  for (auto& worker : impl_->workers) worker->stop();
  for (auto& worker : impl_->workers) worker->join();
  impl_->guests.reset();  // first: what comes next ends what is interpreted
  impl_->remote.reset();
  impl_->parts.log.info("main", "ended");
  return impl_->status;
}

void Server::shutdown() {
  impl_->loop.post([impl = impl_.get()] { impl->begin_drain(); });
}

const std::vector<Address>& Server::listener_addresses() const {
  return impl_->addresses;
}

Address Server::admin_address() const {
  return impl_->admin ? impl_->admin->address() : Address{};
}

}  // namespace inlay::proxy
