// SPDX-License-Identifier: Apache-2.0
#pragma once

// Clusters as the whole process sees them: configuration, statistics, circuit breakers, and which hosts there are now
// (DNS). ClusterRegistry is made once, before the workers; each worker has a ClusterManager on it with pools of its
// own. Thread-safe.

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/model.h"
#include "stats/metrics.h"
#include "tls/context.h"
#include "upstream/dns_resolver.h"

namespace inlay::upstream {

// HostSpec is one address that a cluster's requests may go to.
struct HostSpec {
  Address address;       // an IP address, or a pipe
  std::string hostname;  // of the endpoint, for auto_host_rewrite; may be empty
  uint32_t weight = 1;
  bool healthy = true;
  const config::Endpoint* endpoint = nullptr;  // its configuration; never null
};
using HostList = std::vector<HostSpec>;

// ClusterStats are the statistics of one cluster, under "cluster.<name>.".
class ClusterStats {
 public:
  ClusterStats(stats::MetricStore& store, std::string_view cluster_name);

  stats::Counter rq_total, rq_completed, rq_cancelled, rq_timeout, rq_retry, rq_rx_reset, rq_tx_reset, rq_pending_total,
      rq_pending_overflow, rq_pending_failure_eject, rq_maintenance;
  stats::Gauge rq_active, rq_pending_active;
  stats::Counter cx_total, cx_http1_total, cx_http2_total, cx_connect_fail, cx_connect_timeout, cx_overflow, cx_destroy,
      cx_destroy_remote, cx_destroy_local, cx_idle_timeout, cx_max_requests, cx_none_healthy, cx_protocol_error,
      cx_connect_attempts_exceeded, cx_rx_bytes_total, cx_tx_bytes_total;
  stats::Gauge cx_active;
  stats::Counter update_attempt, update_success, update_failure;
  stats::Gauge membership_total, membership_healthy;

  // Counts an answer: upstream_rq_<code>, upstream_rq_<class>xx, upstream_rq_completed.
  void charge_response(uint32_t status);
  // upstream_rq_time, in milliseconds.
  void record_time(uint64_t milliseconds);

 private:
  stats::MetricStore& store_;
  std::string prefix_;
  std::array<stats::Counter, 6> class_;                                // by the hundreds
  std::array<std::atomic<stats::MetricStore::Metric*>, 600> by_code_;  // made when first seen
  stats::MetricStore::Metric* rq_time_;
};

// Breakers count what is under way in all workers, against circuit_breakers' maxima.
struct Breakers {
  std::atomic<uint32_t> connections{0};
  std::atomic<uint32_t> pending{0};
  std::atomic<uint32_t> requests{0};
};

// Cluster is one configured cluster. `config` points into the bootstrap, which outlives it.
class Cluster {
 public:
  Cluster(size_t index, const config::Cluster& config, stats::MetricStore& store);

  const size_t index;
  const config::Cluster& config;
  ClusterStats stats;
  Breakers breakers;
  // Null for a cluster without TLS, and before ClusterRegistry::prepare_tls().
  std::shared_ptr<const tls::ClientContext> tls;
  // Where requests go out as they came: of connections of HTTP/1, which do not offer "h2".
  std::shared_ptr<const tls::ClientContext> http1_tls;
  bool lengths_as_given = false;  // ClusterRegistry::send_lengths_as_given()

  std::shared_ptr<const HostList> hosts() const;
  void set_hosts(std::shared_ptr<const HostList> hosts);

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const HostList> hosts_;
};

class ClusterRegistry {
 public:
  using LogFunction = std::function<void(std::string_view message)>;

  // `clusters` and `store` outlive the registry. `warn` is called, by any thread, with a message for each name that
  // does not resolve, and with those of warn().
  ClusterRegistry(const std::vector<config::Cluster>& clusters, stats::MetricStore& store, LogFunction warn,
                  ResolveFunction resolve = system_resolve);
  ~ClusterRegistry();
  ClusterRegistry(const ClusterRegistry&) = delete;
  ClusterRegistry& operator=(const ClusterRegistry&) = delete;

  // Makes the TLS contexts, before any connection is made. Errors: kInvalidArgument; `where` names the cluster.
  Result<> prepare_tls();
  // Requests whose body has not the length that their content-length says are sent so, as by Envoy; else they fail.
  // Before any connection is made.
  void send_lengths_as_given();

  // Waits until every DNS cluster has had its first answer, good or bad. False: not within `at_most`, which counts from
  // the first time that somebody waits, so that all waiting together takes no longer; or not before `stop`.
  bool wait_resolved(std::chrono::milliseconds at_most, const std::stop_token& stop = {});

  // A line of the log about a cluster. Any thread.
  void warn(const config::Cluster& cluster, const std::string& what) const {
    if (warn_) warn_("cluster '" + cluster.name + "': " + what);
  }

  size_t size() const { return clusters_.size(); }
  Cluster& at(size_t index) { return *clusters_[index]; }
  std::optional<size_t> find(std::string_view name) const;

  // Calls `changed(index)` on the resolver's thread whenever a cluster's hosts have changed, until unsubscribe().
  using Subscriber = std::function<void(size_t index)>;
  uint64_t subscribe(Subscriber changed);
  void unsubscribe(uint64_t id);

 private:
  struct DnsCluster;
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  void watch_dns(Cluster& cluster);
  void answered(DnsCluster& dns, size_t endpoint, Result<std::vector<std::string>> addresses);
  void publish(Cluster& cluster, HostList hosts);

  stats::MetricStore& store_;
  std::vector<std::unique_ptr<Cluster>> clusters_;
  std::unordered_map<std::string, size_t, NameHash, std::equal_to<>> by_name_;
  LogFunction warn_;

  std::mutex mutex_;
  std::condition_variable_any resolved_;
  size_t unresolved_ = 0;
  std::optional<std::chrono::steady_clock::time_point> first_wait_;
  uint64_t next_id_ = 1;
  std::unordered_map<uint64_t, Subscriber> subscribers_;
  std::vector<std::unique_ptr<DnsCluster>> dns_;
  std::optional<DnsResolver> resolver_;  // last: its callbacks use all the rest
};

}  // namespace inlay::upstream
