// SPDX-License-Identifier: Apache-2.0
#pragma once

// Worker: what one configuration has on one thread of the proxy (proxy/worker_thread.h): listening sockets,
// connections, upstream pools, VMs.
//
// The Worker object belongs to the server's thread; what it shares is immutable or thread-safe. start() comes first,
// then listen(); everything else may be called from the server's thread at any time after.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <vector>

#include "config/model.h"
#include "host/host.h"
#include "net/client_limit.h"
#include "net/listening_socket.h"
#include "proxy/access_log/access_log.h"
#include "proxy/access_log/log_files.h"
#include "proxy/logging/log.h"
#include "proxy/router/route_table.h"
#include "proxy/worker_thread.h"
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
  std::vector<ListenerParts> listeners{};
  std::vector<Plugin> services{};  // but for singletons, which are on the main thread only
  std::chrono::milliseconds log_flush_interval{1000};
  bool envoy_strict = false;
  std::function<void()> on_peak_over{};  // any thread: downstream::ConnectionManager::Options says of what
  // Those of ProcessParts. Thread-safe, as are the listeners' own.
  std::shared_ptr<net::ClientLimit> clients;
  std::shared_ptr<std::atomic<int64_t>> next_refusal;
};

class Worker {
 public:
  // Both outlive this.
  Worker(const SharedState& shared, WorkerThread& thread);
  // Destroys what is on the thread, with connections that are still open, and returns when that is done.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Makes pools, and VMs for the listeners that `open` says; starts the thread, if nobody has.
  void start(std::vector<bool> open);
  // Returns when they have started. Once.
  void wait_started() { started_.get_future().wait(); }
  // Opens the sockets of those listeners. `addresses`: one for each listener, where port 0 is replaced by the port that
  // was bound, so that the next worker binds the same. A socket on which this thread listens already, for an earlier
  // configuration, is shared with that: no client that waits on it is lost. Errors: those of net::listen.
  Result<Unit> listen(std::vector<Address>& addresses, const std::vector<bool>& open);

  // Opens a listener that start() has left out. `done` gets the bound address, on the worker's thread.
  void open(size_t listener, Address address, std::function<void(Result<Address>)> done);
  // host::Worker::replace() on the worker.
  void replace_plugin(std::shared_ptr<const host::Plugin> without_code, std::shared_ptr<host::Plugin> plugin);

  // Closes the listening sockets; connections live on.
  void stop_accepting();
  // Stops accepting and lets what is under way end; then calls `on_drained` on the thread. kForEnd: connections without
  // a request end at once, and `on_drained` waits until the last answer's bytes are sent; kForSuccessor: they end with
  // the answer to their next request, and the loop sees to the bytes. The second of two calls counts.
  enum class Drain : uint8_t { kForEnd, kForSuccessor };
  void drain(Drain how, std::function<void()> on_drained);

 private:
  struct Core;  // what lives on the thread

  const SharedState& shared_;
  WorkerThread& thread_;
  std::promise<void> started_;
  Core* core_ = nullptr;  // made, used and destroyed on the thread, which keeps it
};

}  // namespace inlay::proxy
