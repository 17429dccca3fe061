// SPDX-License-Identifier: Apache-2.0
#pragma once

// Generation: all that the server has made of one configuration: clusters, routes, plugins, and a Worker on each
// thread. A server has one, and after a reload for a while the ones before it as well, whose connections still end.
//
//     Generation first(bootstrap, surroundings);
//     INLAY_RETURN_IF_ERROR(first.prepare());          // all that can be wrong with a file
//     INLAY_RETURN_IF_ERROR(first.start_workers());
//     INLAY_RETURN_IF_ERROR(first.listen(nullptr));
//
// What is made for a successor may be prepared on another thread while the first one serves: prepare_apart(), and then
// the rest on the server's.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "config/model.h"
#include "net/event_loop.h"
#include "proxy/file_follower.h"
#include "proxy/late_listeners.h"
#include "proxy/loop_guests.h"
#include "proxy/plugins/code_fetching.h"
#include "proxy/plugins/remote_plugins.h"
#include "proxy/server_parts.h"
#include "proxy/start_watch.h"
#include "proxy/worker.h"
#include "proxy/worker_thread.h"

namespace inlay::proxy {

// A plugin whose code would have to be fetched first, with nack_on_code_cache_miss: as in Envoy it ends the start.
Error not_cached(const config::WasmPlugin& wasm);
// How long names may take to resolve before a cluster begins without hosts: they must not hold up a start for ever.
constexpr std::chrono::seconds kFirstResolution{5};

// The server's thread, but for prepare_apart().
class Generation final : plugins::RemotePlugins::Observer {
 public:
  using Bootstrap = std::shared_ptr<const config::Bootstrap>;
  // What all generations of a server work with; outlives them.
  struct Surroundings {
    const ServerOptions& options;
    ProcessParts& process;
    net::EventLoop& loop;  // the server's thread's
    StartWatch& watch;
    std::vector<std::unique_ptr<WorkerThread>>& threads;
    std::function<void()> on_peak_over;  // SharedState::on_peak_over
    // A listener of that generation that has waited for code is open, or cannot be opened. Destroys no generation.
    std::function<void(Generation&, const Result<Unit>&)> on_late;
  };

  Generation(Bootstrap bootstrap, const Surroundings& around);
  ~Generation() override;

  // Modules, canaries, routes, plugins on the main thread, files that are followed. Errors name what is at fault.
  Result<Unit> prepare();
  // The same but for what needs the server's thread: from another one, while the server's loop runs. `stop` ends what
  // it waits for. Errors: those of prepare().
  Result<Unit> prepare_apart(const std::stop_token& stop);
  // What prepare_apart() has left.
  Result<Unit> finish_preparing();

  // Opens the access logs, and makes a worker on each thread; returns when their guests have started.
  Result<Unit> start_workers();
  // Opens the listeners, but for those that wait for code. Sockets of `before`, the generation that serves until now,
  // are taken over; nullptr: there is none. Errors: those of net::listen; nothing of `before` has changed then.
  Result<Unit> listen(const Generation* before);
  // Of addresses that `before` does not listen on. Errors: those of check_port_is_free.
  Result<Unit> check_ports(const Generation* before) const;

  // For good, also of listeners that wait for code.
  void stop_accepting();
  // Ends as Worker::drain() says; `on_drained` is called on the server's thread, not from inside of this. Of two calls
  // the second one counts.
  void drain(Worker::Drain how, std::function<void()> on_drained);
  bool is_draining() const { return *drains_ > 0; }
  // Calls `on_over` that much later.
  void end_after(std::chrono::milliseconds longest, std::function<void()> on_over);
  // Ends the guests of the server's thread. Those of the workers go with them, or with their threads.
  void end_guests();

  const config::Bootstrap& bootstrap() const { return *bootstrap_; }
  // One for each of the bootstrap's listeners.
  const std::vector<Address>& addresses() const { return addresses_; }
  ServerParts& parts() { return parts_; }
  // Some listener waits for code.
  bool is_late() const { return late_.pending(); }

 private:
  // RemotePlugins::Observer
  void on_plugin(const SharedState::Plugin& placeholder, SharedState::Plugin plugin) override;
  void on_settled(const host::Plugin& placeholder) override { late_.on_settled(placeholder); }

  Result<SharedState::Plugin> create_remote_plugin(const config::WasmPlugin& wasm);
  Result<SharedState::Plugin> create_on_server_thread(const config::WasmPlugin& wasm, const std::stop_token& stop);
  void await_late_code();
  Result<Unit> follow_files();
  Result<Unit> go_on() const;
  void start_on_main_thread(const SharedState::Plugin& plugin);
  void await_names();
  Result<Unit> listen_on(const std::vector<bool>& which);
  bool is_held_by(const Generation& before, size_t listener) const;
  void take_ports_of(const Generation& before);
  void log_listener(size_t listener);
  void on_late_listener(size_t listener, const Result<Unit>& outcome);

  const Bootstrap bootstrap_;
  const Surroundings& around_;
  logging::Logger& log_;
  ServerParts parts_;
  std::vector<SharedState::Plugin> prepared_apart_;  // not on the main thread yet
  std::optional<FileFollower> files_;                // only when some file is followed
  std::optional<LoopGuests> guests_;                 // the main thread's; only when there is some plugin
  std::optional<plugins::CodeFetching> fetching_;    // only when some code is remote
  std::optional<plugins::RemotePlugins> remote_;     // as `fetching_`
  std::vector<Address> addresses_;
  std::vector<std::unique_ptr<Worker>> workers_;
  LateListeners late_;
  bool told_of_names_ = false;
  size_t draining_ = 0;  // workers that are not drained
  std::unique_ptr<net::Timer> end_timer_;
  std::shared_ptr<size_t> drains_;  // how often drain() was called; null inside of the destructor
};

}  // namespace inlay::proxy
