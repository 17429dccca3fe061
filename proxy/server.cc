// SPDX-License-Identifier: Apache-2.0
#include "proxy/server.h"

#include <malloc.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <utility>

#include "base/files.h"
#include "net/descriptors.h"
#include "net/event_loop.h"
#include "proxy/admin/admin_server.h"
#include "proxy/config_watch.h"
#include "proxy/generation.h"
#include "proxy/memory_return.h"
#include "proxy/port_check.h"
#include "proxy/reload.h"
#include "proxy/signal_source.h"
#include "proxy/start_watch.h"
#include "proxy/stop_on_signal.h"

namespace inlay::proxy {
namespace {

// Clients can bring about a peak whenever they want, and all threads feel what it takes to return its memory.
constexpr std::chrono::minutes kGiveMemoryBackEvery{1};

}  // namespace

struct Server::Impl final : admin::AdminTarget {
  Impl(const config::Bootstrap& b, ServerOptions o, logging::Logger& l)
      : options(std::move(o)),
        process(b, options, l),
        watch(l),
        drain_timer(loop, [this] { loop.stop(); }),
        memory(
            loop, [] { malloc_trim(0); }, kGiveMemoryBackEvery),
        config(loop, [this](const std::string& path) { on_changed_file(path); }) {
    for (size_t i = 0; i < std::max<size_t>(options.concurrency, 1); ++i)
      threads.push_back(std::make_unique<WorkerThread>(i));
    current = std::make_unique<Generation>(Generation::Bootstrap(std::shared_ptr<void>(), &b), around);
  }
  ~Impl() override;

  Result<Unit> start();
  Result<Unit> start_all();
  // Whether a signal has ended the start.
  bool stopped() { return process.modules.stop().stop_requested(); }
  void limit_clients();
  Result<Unit> start_admin();
  Result<Unit> write_admin_address();
  void on_late(Generation& of, const Result<Unit>& outcome);
  void begin_drain();
  void on_signal(int number);

  void reload(const std::string& why);
  void on_changed_file(const std::string& path);
  void on_reloaded(Result<Reload::Next> next);
  Result<Unit> take_over(Reload::Next& next);
  void publish_addresses();
  void retire_others();
  void retire(Generation& old);
  void forget(const Generation& drained);
  void follow_configuration();
  Generation::Surroundings surroundings();

  // admin::AdminTarget
  admin::ServerState state() const override {
    if (draining || health_failed) return admin::ServerState::kDraining;
    // While another one serves, that has all listeners.
    const bool serves = std::any_of(others.begin(), others.end(), [](const auto& one) { return !one->is_draining(); });
    return current->is_late() && !serves ? admin::ServerState::kInitializing : admin::ServerState::kLive;
  }
  std::string waits_for() const override { return "waiting for the code of plugins"; }
  const config::Bootstrap& bootstrap() const override { return current->bootstrap(); }
  stats::MetricStore& metrics() override { return process.metrics; }
  upstream::ClusterRegistry& clusters() override { return current->parts().clusters; }
  const std::vector<Address>& listener_addresses() const override { return current->addresses(); }
  std::string version() const override { return options.version; }
  size_t concurrency() const override { return threads.size(); }
  std::vector<std::pair<std::string, std::string>> log_levels() const override { return process.log.levels(); }
  Result<Unit> set_log_level(std::string_view component, std::string_view level) override {
    return process.log.set_level(component, level);
  }
  void fail_health_check(bool fail) override { health_failed = fail; }
  void drain_listeners() override;
  void quit() override { begin_drain(); }
  void reopen_logs() override {
    process.log.info("main", "reopening the access logs");
    current->parts().log_files.reopen();
    for (const auto& other : others) other->parts().log_files.reopen();
  }

  stats::Gauge gauge(std::string_view name) {
    return stats::Gauge(process.metrics.define(abi::MetricType::kGauge, name));
  }

  ServerOptions options;
  ProcessParts process;
  net::EventLoop loop;
  StartWatch watch;  // other threads may tell it what they do, also after the start
  net::Timer drain_timer;
  MemoryReturn memory;
  ConfigWatch config;
  std::vector<std::unique_ptr<WorkerThread>> threads;
  const Generation::Surroundings around = surroundings();
  mutable std::mutex addresses_mutex;
  std::vector<Address> addresses;  // of `current`, for other threads
  std::unique_ptr<Generation> current;
  std::vector<std::unique_ptr<Generation>> others;  // before it: they drain, or serve until it has all listeners
  size_t generation = 1;                            // the number of `current`
  std::unique_ptr<Reload> reloading;                // only where the configuration can change
  std::unique_ptr<admin::AdminServer> admin;
  std::unique_ptr<SignalSource> signals;
  std::optional<uint64_t> descriptors;                 // how many there may be
  uint64_t fitting_clients = net::ClientLimit::kNone;  // so many as the descriptors allow
  size_t left = 0;                                     // generations that are to drain before the end
  bool never_started = false;                          // a signal has ended the start
  bool draining = false;
  bool closed = false;  // drain_listeners()
  bool health_failed = false;
  int status = 0;
};

// Nothing runs any more: guests go before their threads' loops, and all before the loop of this one.
Server::Impl::~Impl() {
  watch.end();  // its thread reads `admin`
  reloading.reset();
  admin.reset();
  for (auto& thread : threads) thread->stop();
  for (auto& thread : threads) thread->join();
  others.clear();
  current.reset();
  loop.delete_now();
  process.modules.end();  // its threads post to the loop
}

Generation::Surroundings Server::Impl::surroundings() {
  return {.options = options,
          .process = process,
          .loop = loop,
          .watch = watch,
          .threads = threads,
          .on_peak_over = [this] { memory.on_peak_over(); },
          .on_late = [this](Generation& of, const Result<Unit>& outcome) { on_late(of, outcome); }};
}

// Half of what is left is for clients, so that each may have a connection to an upstream. After the workers have
// started, since what they have open for themselves is not left.
void Server::Impl::limit_clients() {
  const auto& configured = current->bootstrap().max_clients;
  net::ClientLimit& clients = *process.clients;
  if (configured) clients.set_most(*configured);
  if (!descriptors) return;
  net::keep_last_descriptors(*descriptors);
  const uint64_t taken =
      net::open_descriptors() + current->addresses().size() * threads.size() + net::kept_descriptors(*descriptors);
  const uint64_t room = *descriptors > taken ? *descriptors - taken : 0;
  fitting_clients = std::max<uint64_t>(room / 2, 1);
  if (!configured) clients.set_most(fitting_clients);
  const std::string words = std::to_string(*descriptors) + " descriptors (ulimit -n)";
  if (configured && *configured > room) {
    process.log.warn("main", "max_active_downstream_connections is " + std::to_string(*configured) + ", but of " +
                                 words + " only " + std::to_string(room) + " are left for clients and upstreams");
  } else if (!configured) {
    process.log.info("main", "at most " + std::to_string(fitting_clients) +
                                 " clients at once, half of what is left of " + words +
                                 "; envoy.resource_monitors.global_downstream_max_connections sets another number");
  }
}

// Its socket before all else, so that a client hears how far the start is; and, as in Envoy, before the listeners': a
// cluster may lead to it.
Result<Unit> Server::Impl::start_admin() {
  process.modules.set_progress([this](std::string what) { watch.doing(std::move(what)); });
  gauge("server.live").set(1);
  gauge("server.concurrency").set(threads.size());
  gauge("server.hot_restart_generation").set(generation);
  gauge("server.draining_configurations").set(0);
  if (!bootstrap().admin) {
    watch.begin(-1, {});
    return Unit{};
  }
  INLAY_TRY(admin, admin::AdminServer::create(loop, *bootstrap().admin, *this));
  watch.begin(admin->socket(), [this](std::string_view path) { return admin->allows(path); });
  process.log.info("admin", "admin server on " + admin->address().to_string());
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
  if (options.handle_signals) stop.emplace(SignalSource::ending(), process.modules.stop());
  INLAY_RETURN_IF_ERROR(current->check_ports(nullptr));
  if (bootstrap().admin) {
    INLAY_RETURN_IF_ERROR(check_port_is_free(bootstrap().admin->address));
  }
  INLAY_RETURN_IF_ERROR(start_admin());
  INLAY_RETURN_IF_ERROR(current->prepare());
  if (options.handle_signals) signals = std::make_unique<SignalSource>(loop, [this](int number) { on_signal(number); });
  return start();
}

Result<Unit> Server::Impl::start() {
  INLAY_RETURN_IF_ERROR(current->start_workers());
  limit_clients();
  // From here on the admin server answers, and not that the start is under way: a cluster may lead to it.
  watch.end();
  INLAY_RETURN_IF_ERROR(current->listen(nullptr));
  publish_addresses();
  if (options.reload) {
    reloading = std::make_unique<Reload>(around, options.reload,
                                         [this](Result<Reload::Next> next) { on_reloaded(std::move(next)); });
    follow_configuration();
  }
  INLAY_RETURN_IF_ERROR(write_admin_address());
  malloc_trim(0);  // reading the configuration and the modules took more memory than serving does
  return Unit{};
}

// --- a change of the configuration ---

void Server::Impl::reload(const std::string& why) {
  if (draining) return;
  if (closed) return process.log.warn("main", why + " changes nothing: the listeners have been drained");
  if (!reloading) return process.log.warn("main", why + " changes nothing: there is no file to read anew");
  process.log.info("main", why + ": reading the configuration anew");
  reloading->begin();
}

void Server::Impl::on_changed_file(const std::string& path) {
  reload(path + " has changed");
}

// Files that are wrong are watched, too: they will be mended.
void Server::Impl::follow_configuration() {
  if (options.watched_files) config.follow(options.watched_files());
}

void Server::Impl::on_reloaded(Result<Reload::Next> next) {
  if (draining) return;
  auto taken = next ? take_over(*next) : Result<Unit>(next.error());
  const auto count = [this](std::string_view name) {
    stats::Counter(process.metrics.define(abi::MetricType::kCounter, name)).add();
  };
  if (taken) {
    count("server.reload_success");
    gauge("server.hot_restart_generation").set(++generation);
    process.log.info("main", "configuration " + std::to_string(generation) +
                                 " serves; connections of the one before end with their next answer");
  } else {
    count("server.reload_rejected");
    process.set_node(bootstrap().node);
    process.log.error("main",
                      "the new configuration is refused, and the one that serves stays: " + taken.error().to_string());
  }
  follow_configuration();
}

Result<Unit> Server::Impl::take_over(Reload::Next& next) {
  if (closed) return Error{ErrorCode::kFailedPrecondition, "the listeners have been drained meanwhile", ""};
  INLAY_RETURN_IF_ERROR(next->check_ports(current.get()));
  INLAY_RETURN_IF_ERROR(next->finish_preparing());
  INLAY_RETURN_IF_ERROR(next->start_workers());
  INLAY_RETURN_IF_ERROR(next->listen(current.get()));
  others.push_back(std::exchange(current, std::move(next)));
  publish_addresses();
  process.clients->set_most(bootstrap().max_clients.value_or(fitting_clients));
  if (!current->is_late()) retire_others();
  return Unit{};
}

// Those before serve on until the listeners of this one are open. One that fails may have been replaced already, by one
// that still waits for its own.
void Server::Impl::on_late(Generation& of, const Result<Unit>& outcome) {
  if (outcome) {
    publish_addresses();
    if (!current->is_late()) retire_others();
    return;
  }
  if (&of != current.get()) return retire(of);
  const auto before =
      std::find_if(others.rbegin(), others.rend(), [](const auto& other) { return !other->is_draining(); });
  if (before == others.rend()) {
    status = 1;
    return begin_drain();
  }
  process.log.error("main", "the configuration before serves on");
  std::swap(current, *before);
  publish_addresses();
  process.set_node(bootstrap().node);
  process.clients->set_most(bootstrap().max_clients.value_or(fitting_clients));
  current->parts().limit_clients();
  retire(of);
}

void Server::Impl::publish_addresses() {
  const std::lock_guard lock(addresses_mutex);
  addresses = current->addresses();
}

void Server::Impl::retire_others() {
  for (const auto& other : others) retire(*other);
}

void Server::Impl::retire(Generation& old) {
  if (old.is_draining()) return;
  gauge("server.draining_configurations").add(1);
  old.drain(Worker::Drain::kForSuccessor, [this, &old] { forget(old); });
  old.end_after(options.drain_time, [this, &old] { forget(old); });
}

void Server::Impl::forget(const Generation& drained) {
  const auto found =
      std::find_if(others.begin(), others.end(), [&](const auto& other) { return other.get() == &drained; });
  if (found == others.end()) return;
  loop.delete_later(std::move(*found));
  others.erase(found);
  gauge("server.draining_configurations").sub(1);
  loop.post([this] { loop.post([this] { process.modules.drop_unused(); }); });  // when it has been deleted
  memory.on_peak_over();
}

// --- the end ---

// Who has asked for it is about to end the server: no reload opens them again.
void Server::Impl::drain_listeners() {
  closed = true;
  current->stop_accepting();
  for (const auto& other : others) other->stop_accepting();
}

void Server::Impl::begin_drain() {
  if (draining) return;
  draining = true;
  gauge("server.live").set(0);
  process.log.info("main", "draining: no new connections, what is under way is finished");
  drain_timer.arm(options.drain_time);
  left = others.size() + 1;
  const auto is_drained = [this] {
    if (--left == 0) loop.stop();
  };
  current->drain(Worker::Drain::kForEnd, is_drained);
  for (const auto& other : others) other->drain(Worker::Drain::kForEnd, is_drained);
}

void Server::Impl::on_signal(int number) {
  if (number == SIGUSR1) return reopen_logs();
  if (number == SIGHUP) return reload("SIGHUP");
  if (draining) {
    process.log.warn("main", "second signal: ending at once");
    process.modules.stop().request_stop();
    std::_Exit(128 + number);
  }
  process.log.info("main", number == SIGTERM ? "SIGTERM" : "SIGINT");
  begin_drain();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::create(const config::Bootstrap& bootstrap, ServerOptions options,
                                               logging::Logger& log) {
  if (options.handle_signals) SignalSource::block();
  const auto descriptors = net::raise_descriptor_limit();
  auto impl = std::make_unique<Impl>(bootstrap, std::move(options), log);
  impl->descriptors = descriptors;
  auto started = impl->start_all();
  if (!started && impl->stopped()) {
    impl->never_started = true;
    log.info("main", "ended by a signal before the start was done");
  } else if (!started) {
    return std::move(started).error();
  }
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

int Server::run() {
  if (!impl_->never_started) impl_->loop.run();
  for (auto& thread : impl_->threads) thread->stop();
  for (auto& thread : impl_->threads) thread->join();
  impl_->others.clear();
  impl_->current->end_guests();
  impl_->process.modules.end();  // guests are over, so that it ends compilations alone
  impl_->reloading.reset();
  impl_->process.log.info("main", "ended");
  return impl_->status;
}

void Server::shutdown() {
  impl_->loop.post([impl = impl_.get()] { impl->begin_drain(); });
}

void Server::reload() {
  impl_->loop.post([impl = impl_.get()] { impl->reload("a reload"); });
}

std::vector<Address> Server::listener_addresses() const {
  const std::lock_guard lock(impl_->addresses_mutex);
  return impl_->addresses;
}

Address Server::admin_address() const {
  return impl_->admin ? impl_->admin->address() : Address{};
}

}  // namespace inlay::proxy
