// SPDX-License-Identifier: Apache-2.0
#pragma once

// ProcessParts: what a server has once, whatever configurations it serves one after the other: metrics, the host with
// shared data and queues, modules that are loaded, limits on clients.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "config/model.h"
#include "host/host.h"
#include "host/standalone.h"
#include "net/client_limit.h"
#include "proxy/logging/log.h"
#include "proxy/plugins/module_store.h"
#include "proxy/server.h"
#include "stats/metrics.h"

namespace inlay::proxy {

// In the order in which things need each other. Thread-safe.
struct ProcessParts {
  // `log` outlives this.
  ProcessParts(const config::Bootstrap& bootstrap, const ServerOptions& options, logging::Logger& log);

  // The node of the configuration that canaries are told from now on.
  void set_node(const config::Node& node);
  // The limit of the listener of that name, which lives as long as this: connections that are closing still count, when
  // their listener is no more. Whoever serves says how many there may be.
  std::shared_ptr<net::ClientLimit> clients_of(const std::string& listener);

  logging::Logger& log;
  host::SystemClock clock;
  stats::MetricStore metrics;
  host::Host host;
  plugins::ModuleStore modules;
  // Of all listeners but those with ignore_global_conn_limit.
  std::shared_ptr<net::ClientLimit> clients = std::make_shared<net::ClientLimit>();
  // When the log may next say that clients are sent away: one line a second, whichever worker it is.
  std::shared_ptr<std::atomic<int64_t>> next_refusal = std::make_shared<std::atomic<int64_t>>(0);

 private:
  abi::Status root_property(const std::vector<std::string_view>& path, std::string& value) const;

  mutable std::mutex mutex_;
  std::shared_ptr<const config::Node> node_;
  std::map<std::string, std::shared_ptr<net::ClientLimit>> listener_clients_;
};

}  // namespace inlay::proxy
