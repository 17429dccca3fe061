// SPDX-License-Identifier: Apache-2.0
#pragma once

// Worker: one thread of the proxy with everything that is its own: event loop, listening sockets, upstream pools, VMs.
//
// The Worker object belongs to the server's thread; what it shares is immutable or thread-safe. start() comes first,
// then listen(); everything else may be called from the server's thread at any time after.

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "config/model.h"
#include "host/host.h"
#include "net/client_limit.h"
#include "net/event_loop.h"
#include "net/listening_socket.h"
#include "proxy/access_log/access_log.h"
#include "proxy/access_log/log_files.h"
#include "proxy/logging/log.h"
#include "proxy/router/route_table.h"
#include "tls/context.h"
#include "upstream/cluster.h"

namespace inlay::proxy {

// SharedState is what all workers work on. Made before the first worker, outlives the last. Immutable once they run,
// but for the plugins of a listener that no worker has been told to open yet.
struct SharedState {
  const config::Bootstrap& bootstrap;
  logging::Logger& log;
  stats::MetricStore& metrics;
  host::Host& host;
  upstream::ClusterRegistry& clusters;
  bool compat_legacy_properties = false;
  using Plugin = std::shared_ptr<host::Plugin>;
  struct AccessLogger {
    access_log::AccessLog log;
    access_log::LogFile* file = nullptr;  // null while validating, and for a plugin
    Plugin plugin;                        // null for a file
  };
  struct ListenerParts {
    std::shared_ptr<const router::RouteTable> routes;
    std::shared_ptr<const tls::ServerContext> tls;  // nullptr: plain connections
    std::shared_ptr<net::ClientLimit> clients;      // the listener's own; nullptr: none
    std::shared_ptr<net::SharedPipe> pipe;          // of a pipe: all workers accept on one socket; nullptr: no pipe
    std::vector<Plugin> network_plugins;            // one for each network_filter
    std::vector<Plugin> plugins;                    // one for each http_filter, null for what is no wasm filter
    std::vector<AccessLogger> access_loggers;

    template <class Visit>
    void for_each_plugin(Visit&& visit) {
      for (std::vector<Plugin>* list : {&network_plugins, &plugins})
        for (Plugin& plugin : *list)
          if (plugin) visit(plugin);
      for (AccessLogger& logger : access_loggers)
        if (logger.plugin) visit(logger.plugin);
    }
  };
  std::vector<ListenerParts> listeners;
  std::vector<Plugin> services;  // but for singletons, which are on the main thread only
  std::chrono::milliseconds log_flush_interval{1000};
  bool envoy_strict = false;
  std::function<void()> on_peak_over{};  // any thread: downstream::ConnectionManager::Options says of what
  // Of all listeners but those with ignore_global_conn_limit. Thread-safe, as are the listeners' own.
  std::shared_ptr<net::ClientLimit> clients = std::make_shared<net::ClientLimit>();
  // When the log may next say that clients are sent away: one line a second, whichever worker it is.
  std::shared_ptr<std::atomic<int64_t>> next_refusal = std::make_shared<std::atomic<int64_t>>(0);
};

class Worker {
 public:
  Worker(const SharedState& shared, size_t index);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Starts the thread, which makes its pools, and VMs for the listeners that `open` says.
  void start(std::vector<bool> open);
  // Returns when they have started. Once.
  void wait_started() { started_.get_future().wait(); }
  // Opens the sockets of those listeners. `addresses`: one for each listener, where port 0 is replaced by the port that
  // was bound, so that the next worker binds the same. Errors: those of net::listen.
  Result<Unit> listen(std::vector<Address>& addresses, const std::vector<bool>& open);

  // Opens a listener that start() has left out. `done` gets the bound address, on the worker's thread.
  void open(size_t listener, Address address, std::function<void(Result<Address>)> done);
  // host::Worker::replace() on the worker.
  void replace_plugin(std::shared_ptr<const host::Plugin> without_code, std::shared_ptr<host::Plugin> plugin);

  // Closes the listening sockets; connections live on.
  void stop_accepting();
  // Stops accepting and lets what is under way end; then the thread ends and `on_drained` is called on it.
  void drain(std::function<void()> on_drained);
  // Ends the thread's loop now.
  void stop();
  void join();

 private:
  struct Core;  // what lives on the thread
  void run(const std::vector<bool>& open);

  const SharedState& shared_;
  const size_t index_;
  net::EventLoop loop_;  // outlives the thread, so that stop() is always safe
  std::promise<void> started_;
  std::unique_ptr<Core> core_;  // made, used and destroyed on the thread
  std::thread thread_;
};

}  // namespace inlay::proxy
