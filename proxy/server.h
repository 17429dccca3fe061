// SPDX-License-Identifier: Apache-2.0
#pragma once

// Server: the whole proxy. It loads the modules, runs each plugin's canary, starts the workers and the admin server,
// and ends on a signal, on shutdown() or on POST /quitquitquit. A changed configuration takes the place of the one that
// serves, without a lost request.
//
//     document::Diagnostics diagnostics;
//     INLAY_TRY(const auto bootstrap, config::load_file("envoy.yaml", {}, diagnostics));
//     INLAY_TRY(const auto server, Server::create(bootstrap, {.concurrency = 2}, log));
//     return server->run();                 // the exit status
//
// One thread makes, runs and destroys it; shutdown() may come from any.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/file_watch.h"
#include "config/model.h"
#include "engine/engine.h"
#include "proxy/logging/log.h"

namespace inlay::proxy {

// ServerOptions: what the command line says (docs/reference/command_line.md), and what a test needs.
struct ServerOptions {
  size_t concurrency = 1;  // workers; 0 counts as 1
  engine::EngineKind engine = engine::EngineKind::kAuto;
  engine::Limits limits;
  bool envoy_strict = false;
  bool compat_legacy_properties = false;
  bool fail_hazards = false;             // host/hazards.h
  std::chrono::seconds drain_time{600};  // at most this long after the first signal
  std::string admin_address_path;        // the admin's address is written to this file
  // SIGTERM, SIGINT: drain, the second one ends at once; SIGUSR1: reopen logs; SIGHUP: reload().
  bool handle_signals = false;
  // Reads the configuration anew, for reload(); `said` gets what is to be told about it, warnings included, in lines.
  // Called on a thread of its own, once at a time. Empty: the configuration cannot change.
  using Reload = std::function<Result<config::Bootstrap>(std::string& said)>;
  Reload reload{};
  // Files of the configuration that was read last, as they were before they were read: reload() when one of them has
  // changed. Asked after each time that `reload` has returned. Empty: there are none.
  std::function<FileWatch()> watched_files{};
  bool watch_modules = false;                          // the same with those of modules
  std::chrono::milliseconds log_flush_interval{1000};  // access logs are written at the latest this much later
  bool fetch_remote_code = false;  // validate(): fetch what is not cached, instead of leaving its plugin unchecked
  std::string version = "0";
};

class Server {
 public:
  // Everything that can fail about a start fails here, but for a signal that ends it: the server then serves nothing,
  // and run() returns at once. Errors name the module, plugin, route or address that is at fault. `bootstrap` and `log`
  // outlive the server. With handle_signals the signals are blocked in the calling thread and all that are made after,
  // and taken by run(): call this before any thread is made.
  static Result<std::unique_ptr<Server>> create(const config::Bootstrap& bootstrap, ServerOptions options,
                                                logging::Logger& log);
  // Everything but opening sockets and fetching code: for `--mode validate`.
  static Result<Unit> validate(const config::Bootstrap& bootstrap, const ServerOptions& options, logging::Logger& log);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves until the end, on this thread and the workers'; returns the process's exit status. Once.
  int run();
  // Ends as a signal does: stops accepting, finishes what is under way, lets run() return. Any thread.
  void shutdown();
  // Reads the configuration anew, makes all that it needs and lets it take the place of the one that serves: listening
  // sockets are taken over, connections end with their next answer, those of TCP when they want, all of them after
  // drain_time at the latest. One that is wrong is refused with a line in the log, and what serves stays. The admin
  // server and the number of workers stay as they are. Any thread.
  void reload();

  // The addresses that are bound, in the order of the configuration's listeners: of the one that serves. Any thread.
  std::vector<Address> listener_addresses() const;
  // The one that is bound; port 0 when there is no admin server.
  Address admin_address() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace inlay::proxy
