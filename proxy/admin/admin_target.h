// SPDX-License-Identifier: Apache-2.0
#pragma once

// AdminTarget: what the admin server reports on and acts on. The server implements it; main thread only.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/model.h"
#include "stats/metrics.h"
#include "upstream/cluster.h"

namespace inlay::proxy::admin {

enum class ServerState : uint8_t {
  kLive,
  kDraining,
  kInitializing,  // some listener waits for the code of a plugin
};

class AdminTarget {
 public:
  virtual ~AdminTarget() = default;
  virtual ServerState state() const = 0;
  // What an initializing server waits for.
  virtual std::string waits_for() const { return {}; }
  virtual const config::Bootstrap& bootstrap() const = 0;
  virtual stats::MetricStore& metrics() = 0;
  virtual upstream::ClusterRegistry& clusters() = 0;
  // One for each of the bootstrap's listeners.
  virtual const std::vector<Address>& listener_addresses() const = 0;
  virtual std::string version() const = 0;
  virtual size_t concurrency() const = 0;
  virtual std::vector<std::pair<std::string, std::string>> log_levels() const = 0;
  virtual Result<Unit> set_log_level(std::string_view component, std::string_view level) = 0;
  virtual void fail_health_check(bool fail) = 0;
  virtual void drain_listeners() = 0;
  virtual void quit() = 0;
  // Access logs go to files that are opened anew by their paths.
  virtual void reopen_logs() = 0;
};

}  // namespace inlay::proxy::admin
