// SPDX-License-Identifier: Apache-2.0
#include "proxy/generation.h"

#include <algorithm>
#include <future>
#include <utility>

#include "proxy/port_check.h"

namespace inlay::proxy {

Error not_cached(const config::WasmPlugin& wasm) {
  return {ErrorCode::kFailedPrecondition,
          "the code of plugin " + wasm.plugin.name + " is not in the cache, and nack_on_code_cache_miss is set",
          wasm.code.filename};
}

Generation::Generation(Bootstrap bootstrap, const Surroundings& around)
    : bootstrap_(std::move(bootstrap)),
      around_(around),
      log_(around.process.log),
      parts_(*bootstrap_, around.options, around.process),
      late_(around.loop, parts_.shared, workers_, addresses_,
            [this](size_t listener, const Result<Unit>& outcome) { on_late_listener(listener, outcome); }),
      drains_(std::make_shared<size_t>(0)) {
  parts_.shared.on_peak_over = around.on_peak_over;
}

// Guests go first: what is behind them answers their calls.
Generation::~Generation() {
  drains_.reset();
  workers_.clear();
  end_guests();
}

// --- preparing ---

Result<Unit> Generation::prepare() {
  parts_.create_remote_plugin = [this](const config::WasmPlugin& wasm) { return create_remote_plugin(wasm); };
  parts_.on_plugin = [this](const SharedState::Plugin& plugin) { start_on_main_thread(plugin); };
  INLAY_RETURN_IF_ERROR(parts_.prepare());
  return finish_preparing();
}

Result<Unit> Generation::prepare_apart(const std::stop_token& stop) {
  parts_.create_remote_plugin = [this, stop](const config::WasmPlugin& wasm) {
    return create_on_server_thread(wasm, stop);
  };
  parts_.on_plugin = [this](const SharedState::Plugin& plugin) { prepared_apart_.push_back(plugin); };
  INLAY_RETURN_IF_ERROR(parts_.prepare());
  await_names();
  return go_on();
}

Result<Unit> Generation::finish_preparing() {
  for (const SharedState::Plugin& plugin : std::exchange(prepared_apart_, {})) start_on_main_thread(plugin);
  await_late_code();
  return follow_files();
}

Result<SharedState::Plugin> Generation::create_remote_plugin(const config::WasmPlugin& wasm) {
  if (!remote_) {
    fetching_.emplace(around_.loop, parts_.clusters, log_, around_.process.metrics);
    plugins::RemotePlugins::Observer& observer = *this;
    remote_.emplace(around_.loop, fetching_->code, around_.process.modules, around_.process.host, log_, observer);
  }
  INLAY_TRY(auto plugin, remote_->create(wasm));
  if (!plugin->module() && wasm.code.nack_on_code_cache_miss) return not_cached(wasm);
  return plugin;
}

// The loop may end before it takes the task, which then is destroyed, and the promise with it.
Result<SharedState::Plugin> Generation::create_on_server_thread(const config::WasmPlugin& wasm,
                                                                const std::stop_token& stop) {
  using Created = Result<SharedState::Plugin>;
  constexpr std::chrono::milliseconds kLookForStop{20};
  const auto created = std::make_shared<std::promise<Created>>();
  auto result = created->get_future();
  around_.loop.post([this, &wasm, created, stop] {
    if (!stop.stop_requested()) created->set_value(create_remote_plugin(wasm));
  });
  while (result.wait_for(kLookForStop) != std::future_status::ready) {
    if (stop.stop_requested()) return Error{ErrorCode::kUnavailable, "stopped", {}};
  }
  return result.get();
}

void Generation::await_late_code() {
  for (size_t i = 0; remote_ && i < parts_.shared.listeners.size(); ++i) {
    parts_.shared.listeners[i].for_each_plugin([&](const SharedState::Plugin& plugin) {
      if (remote_->worth_waiting_for(*plugin)) late_.await(i, *plugin);
    });
  }
}

Result<Unit> Generation::follow_files() {
  for (const SharedState::ListenerParts& listener : parts_.shared.listeners) {
    if (!listener.routes || listener.routes->followed_files().empty()) continue;
    if (!files_) files_.emplace(around_.loop, log_);
    INLAY_RETURN_IF_ERROR(files_->follow(*listener.routes));
  }
  return Unit{};
}

Result<Unit> Generation::go_on() const {
  if (!around_.process.modules.stop().stop_requested()) return Unit{};
  return Error{ErrorCode::kUnavailable, "stopped", {}};
}

// As Envoy's main thread, ours has an instance of every plugin, singleton or not: from the canary on, which is before
// the workers', so that what they send to a singleton's queue finds it, and that a queue which both register is a
// worker's.
void Generation::start_on_main_thread(const SharedState::Plugin& plugin) {
  if (!guests_) await_names();
  if (!go_on()) return;
  if (!guests_) {
    guests_.emplace(around_.loop, *bootstrap_, parts_.clusters, around_.process.host,
                    around_.options.compat_legacy_properties, around_.threads.size());
  }
  around_.watch.doing("starting plugin " + plugin->config().name + " on the main thread");
  guests_->worker.attach(plugin);
}

// A guest may call any cluster as soon as it starts: so before the first one, and before the workers. Names that are
// not resolved in time hold the start up once.
void Generation::await_names() {
  if (told_of_names_) return;
  around_.watch.doing("resolving the clusters' names");
  if (parts_.clusters.wait_resolved(kFirstResolution, around_.process.modules.stop().get_token()) || !go_on()) return;
  told_of_names_ = true;
  log_.warn("upstream", "some clusters' names are not resolved yet; they begin without hosts");
}

// --- serving ---

Result<Unit> Generation::start_workers() {
  INLAY_RETURN_IF_ERROR(parts_.open_logs());
  await_names();
  INLAY_RETURN_IF_ERROR(go_on());
  for (const config::Listener& listener : bootstrap_->listeners) addresses_.push_back(listener.address);
  std::vector<bool> open;
  for (size_t i = 0; i < addresses_.size(); ++i) open.push_back(!late_.waits(i));
  for (const auto& thread : around_.threads) {
    workers_.push_back(std::make_unique<Worker>(parts_.shared, *thread));
    workers_.back()->start(open);
  }
  around_.watch.initializing();
  for (size_t i = 0; i < workers_.size(); ++i) {
    around_.watch.doing("starting the plugins of worker " + std::to_string(i + 1) + " of " +
                        std::to_string(workers_.size()));
    workers_[i]->wait_started();
  }
  return go_on();
}

// Nobody is let in before the last guest is ready: one that sets shared data up when it starts would else undo what
// another has written for a request. New addresses come first, since only they can fail.
Result<Unit> Generation::listen(const Generation* before) {
  if (before != nullptr) take_ports_of(*before);
  std::vector<bool> fresh;
  std::vector<bool> held;
  for (size_t i = 0; i < addresses_.size(); ++i) {
    const bool is_held = before != nullptr && is_held_by(*before, i);
    fresh.push_back(!late_.waits(i) && !is_held);
    held.push_back(!late_.waits(i) && is_held);
  }
  INLAY_RETURN_IF_ERROR(listen_on(fresh));
  INLAY_RETURN_IF_ERROR(listen_on(held));
  parts_.limit_clients();
  for (size_t i = 0; i < addresses_.size(); ++i) {
    if (fresh[i] || held[i])
      log_listener(i);
    else
      log_.info("main", "listener '" + bootstrap_->listeners[i].name + "' waits for the code of its plugins");
  }
  late_.start();
  if (remote_) remote_->start();
  return Unit{};
}

Result<Unit> Generation::listen_on(const std::vector<bool>& which) {
  for (auto& worker : workers_) {
    INLAY_RETURN_IF_ERROR(worker->listen(addresses_, which));
  }
  return Unit{};
}

// Two sockets of this process may have a port on two addresses of which one has the other in it, such as 0.0.0.0 and
// 127.0.0.1 (SO_REUSEPORT): that is no reason to refuse a change from one to the other.
Result<Unit> Generation::check_ports(const Generation* before) const {
  for (const config::Listener& listener : bootstrap_->listeners) {
    if (listener.chain_of) continue;
    const auto is_ours = [&](const Address& address) {
      return address.is_same_place(listener.address) ||
             (!address.is_pipe && !listener.address.is_pipe && address.port == listener.address.port);
    };
    if (before != nullptr && std::any_of(before->addresses_.begin(), before->addresses_.end(), is_ours)) continue;
    INLAY_RETURN_IF_ERROR(check_port_is_free(listener.address));
  }
  return Unit{};
}

bool Generation::is_held_by(const Generation& before, size_t listener) const {
  return std::any_of(before.addresses_.begin(), before.addresses_.end(),
                     [&](const Address& address) { return address.is_same_place(addresses_[listener]); });
}

// A listener on port 0 keeps the port that it has got. There may be several without a name: each has its own.
void Generation::take_ports_of(const Generation& before) {
  const auto has_own = [](const config::Listener& one) {
    return one.address.port == 0 && !one.address.is_pipe && !one.chain_of;
  };
  std::vector<bool> taken(before.addresses_.size());
  for (size_t i = 0; i < addresses_.size(); ++i) {
    const config::Listener& listener = bootstrap_->listeners[i];
    for (size_t j = 0; has_own(listener) && j < taken.size(); ++j) {
      const config::Listener& old = before.bootstrap_->listeners[j];
      if (taken[j] || !has_own(old) || old.name != listener.name || old.address.host != listener.address.host) continue;
      addresses_[i] = before.addresses_[j];
      taken[j] = true;
      break;
    }
  }
}

void Generation::on_plugin(const SharedState::Plugin& placeholder, SharedState::Plugin plugin) {
  late_.on_plugin(*placeholder, plugin);
  if (guests_) guests_->worker.replace(*placeholder, plugin);
  for (auto& worker : workers_) worker->replace_plugin(placeholder, plugin);
}

void Generation::log_listener(size_t listener) {
  if (bootstrap_->listeners[listener].chain_of) return;  // its socket is another one's
  log_.info("main", "listener '" + bootstrap_->listeners[listener].name + "' on " + addresses_[listener].to_string() +
                        ", " + std::to_string(workers_.size()) + (workers_.size() == 1 ? " worker" : " workers"));
}

void Generation::on_late_listener(size_t listener, const Result<Unit>& outcome) {
  if (outcome) {
    log_listener(listener);
  } else {
    log_.error("main", "listener '" + bootstrap_->listeners[listener].name +
                           "' cannot be opened: " + outcome.error().to_string());
  }
  around_.on_late(*this, outcome);
}

// --- the end ---

void Generation::stop_accepting() {
  late_.stop();
  for (auto& worker : workers_) worker->stop_accepting();
}

void Generation::drain(Worker::Drain how, std::function<void()> on_drained) {
  late_.stop();
  end_timer_.reset();
  draining_ = workers_.size();
  const size_t round = ++*drains_;
  const auto is_drained = [this, round, drains = std::weak_ptr<size_t>(drains_), on_drained = std::move(on_drained)] {
    const auto now = drains.lock();
    if (now && *now == round && --draining_ == 0) on_drained();
  };
  if (workers_.empty()) return around_.loop.post([this, is_drained] { draining_ = 1, is_drained(); });
  for (auto& worker : workers_) {
    worker->drain(how, [&loop = around_.loop, is_drained] { loop.post(is_drained); });
  }
}

void Generation::end_after(std::chrono::milliseconds longest, std::function<void()> on_over) {
  end_timer_ = std::make_unique<net::Timer>(around_.loop, std::move(on_over));
  end_timer_->arm(longest);
}

void Generation::end_guests() {
  guests_.reset();
  remote_.reset();
}

}  // namespace inlay::proxy
