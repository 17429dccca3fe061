// SPDX-License-Identifier: Apache-2.0
#include "upstream/cluster.h"

#include <algorithm>

namespace inlay::upstream {
namespace {

// As Envoy does: a colon in a statistic's name would look like an address to the sinks.
std::string stat_prefix(std::string_view name) {
  std::string out = "cluster." + std::string(name) + ".";
  std::replace(out.begin(), out.end(), ':', '_');
  return out;
}

HostSpec make_host(const config::Endpoint& endpoint, std::string ip) {
  HostSpec host;
  host.hostname = endpoint.hostname;
  if (host.hostname.empty() && ip != endpoint.address.host) host.hostname = endpoint.address.host;
  host.address = endpoint.address;
  host.address.host = std::move(ip);
  host.weight = std::max(endpoint.weight, 1u);
  host.healthy = endpoint.health == config::Endpoint::Health::kHealthy;
  host.endpoint = &endpoint;
  return host;
}

bool same(const HostList& a, const HostList& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const HostSpec& x, const HostSpec& y) {
    return x.address.is_same_place(y.address) && x.weight == y.weight && x.healthy == y.healthy &&
           x.endpoint == y.endpoint;
  });
}

}  // namespace

ClusterStats::ClusterStats(stats::MetricStore& store, std::string_view cluster_name)
    : store_(store), prefix_(stat_prefix(cluster_name)) {
  const std::pair<stats::Counter*, const char*> counters[] = {
      {&rq_total, "upstream_rq_total"},
      {&rq_completed, "upstream_rq_completed"},
      {&rq_cancelled, "upstream_rq_cancelled"},
      {&rq_timeout, "upstream_rq_timeout"},
      {&rq_retry, "upstream_rq_retry"},
      {&rq_rx_reset, "upstream_rq_rx_reset"},
      {&rq_tx_reset, "upstream_rq_tx_reset"},
      {&rq_pending_total, "upstream_rq_pending_total"},
      {&rq_pending_overflow, "upstream_rq_pending_overflow"},
      {&rq_pending_failure_eject, "upstream_rq_pending_failure_eject"},
      {&rq_maintenance, "upstream_rq_maintenance_mode"},
      {&cx_total, "upstream_cx_total"},
      {&cx_http1_total, "upstream_cx_http1_total"},
      {&cx_http2_total, "upstream_cx_http2_total"},
      {&cx_connect_fail, "upstream_cx_connect_fail"},
      {&cx_connect_timeout, "upstream_cx_connect_timeout"},
      {&cx_overflow, "upstream_cx_overflow"},
      {&cx_destroy, "upstream_cx_destroy"},
      {&cx_destroy_remote, "upstream_cx_destroy_remote"},
      {&cx_destroy_local, "upstream_cx_destroy_local"},
      {&cx_idle_timeout, "upstream_cx_idle_timeout"},
      {&cx_max_requests, "upstream_cx_max_requests"},
      {&cx_none_healthy, "upstream_cx_none_healthy"},
      {&cx_protocol_error, "upstream_cx_protocol_error"},
      {&cx_connect_attempts_exceeded, "upstream_cx_connect_attempts_exceeded"},
      {&cx_rx_bytes_total, "upstream_cx_rx_bytes_total"},
      {&cx_tx_bytes_total, "upstream_cx_tx_bytes_total"},
      {&update_attempt, "update_attempt"},
      {&update_success, "update_success"},
      {&update_failure, "update_failure"},
      {&class_[1], "upstream_rq_1xx"},
      {&class_[2], "upstream_rq_2xx"},
      {&class_[3], "upstream_rq_3xx"},
      {&class_[4], "upstream_rq_4xx"},
      {&class_[5], "upstream_rq_5xx"},
  };
  for (const auto& [counter, name] : counters) {
    *counter = stats::Counter(store.define(abi::MetricType::kCounter, prefix_ + name));
  }
  const std::pair<stats::Gauge*, const char*> gauges[] = {
      {&rq_active, "upstream_rq_active"},          {&rq_pending_active, "upstream_rq_pending_active"},
      {&cx_active, "upstream_cx_active"},          {&membership_total, "membership_total"},
      {&membership_healthy, "membership_healthy"},
  };
  for (const auto& [gauge, name] : gauges) {
    *gauge = stats::Gauge(store.define(abi::MetricType::kGauge, prefix_ + name));
  }
  rq_time_ = store.define(abi::MetricType::kHistogram, prefix_ + "upstream_rq_time");
  for (auto& metric : by_code_) metric.store(nullptr, std::memory_order_relaxed);
}

void ClusterStats::charge_response(uint32_t status) {
  rq_completed.add();
  if (status < 100 || status >= by_code_.size()) return;
  class_[status / 100].add();
  auto* metric = by_code_[status].load(std::memory_order_acquire);
  if (metric == nullptr) {
    metric = store_.define(abi::MetricType::kCounter, prefix_ + "upstream_rq_" + std::to_string(status));
    if (metric == nullptr) return;  // the store is full
    by_code_[status].store(metric, std::memory_order_release);
  }
  stats::MetricStore::increment(*metric, 1);
}

void ClusterStats::record_time(uint64_t milliseconds) {
  if (rq_time_ != nullptr) stats::MetricStore::record(*rq_time_, milliseconds);
}

Cluster::Cluster(size_t i, const config::Cluster& c, stats::MetricStore& store)
    : index(i),
      config(c),
      stats(store, c.alt_stat_name.empty() ? c.name : c.alt_stat_name),
      hosts_(std::make_shared<HostList>()) {}

std::shared_ptr<const HostList> Cluster::hosts() const {
  std::lock_guard lock(mutex_);
  return hosts_;
}

void Cluster::set_hosts(std::shared_ptr<const HostList> hosts) {
  stats.membership_total.set(hosts->size());
  stats.membership_healthy.set(
      static_cast<uint64_t>(std::count_if(hosts->begin(), hosts->end(), [](const HostSpec& h) { return h.healthy; })));
  std::lock_guard lock(mutex_);
  hosts_ = std::move(hosts);
}

// One DNS cluster: the last good addresses of each endpoint.
struct ClusterRegistry::DnsCluster {
  Cluster& cluster;
  std::vector<std::vector<std::string>> addresses;
  std::vector<bool> answered;
  size_t waiting;
};

ClusterRegistry::ClusterRegistry(const std::vector<config::Cluster>& clusters, stats::MetricStore& store,
                                 LogFunction warn, ResolveFunction resolve)
    : store_(store), warn_(std::move(warn)) {
  for (const config::Cluster& config : clusters) {
    by_name_.emplace(config.name, clusters_.size());
    clusters_.push_back(std::make_unique<Cluster>(clusters_.size(), config, store));
  }
  resolver_.emplace(std::move(resolve));
  for (auto& cluster : clusters_) {
    if (cluster->config.type != config::Cluster::Type::kStatic && !cluster->config.endpoints.empty()) {
      watch_dns(*cluster);
      continue;
    }
    HostList hosts;
    for (const config::Endpoint& endpoint : cluster->config.endpoints) {
      hosts.push_back(make_host(endpoint, endpoint.address.host));
    }
    cluster->set_hosts(std::make_shared<HostList>(std::move(hosts)));
  }
}

void ClusterRegistry::send_lengths_as_given() {
  for (auto& cluster : clusters_) cluster->lengths_as_given = true;
}

Result<> ClusterRegistry::prepare_tls() {
  for (auto& cluster : clusters_) {
    const config::Cluster& config = cluster->config;
    if (!config.tls) continue;
    const std::string& name = config.alt_stat_name.empty() ? config.name : config.alt_stat_name;
    const auto make = [&](const config::UpstreamTls& tls) -> Result<std::shared_ptr<const tls::ClientContext>> {
      auto context = tls::ClientContext::create(tls, tls::Stats(store_, stat_prefix(name)));
      if (context) return std::shared_ptr<const tls::ClientContext>(*std::move(context));
      Error error = context.error();
      error.where = "cluster '" + config.name + "', transport_socket";
      return error;
    };
    INLAY_TRY(cluster->tls, make(*config.tls));
    if (!config.as_downstream) continue;
    config::UpstreamTls http1 = *config.tls;
    std::erase(http1.alpn, "h2");
    INLAY_TRY(cluster->http1_tls, make(http1));
  }
  return Unit{};
}

ClusterRegistry::~ClusterRegistry() {
  resolver_.reset();
}

void ClusterRegistry::watch_dns(Cluster& cluster) {
  const auto& endpoints = cluster.config.endpoints;
  dns_.push_back(
      std::make_unique<DnsCluster>(DnsCluster{cluster, std::vector<std::vector<std::string>>(endpoints.size()),
                                              std::vector<bool>(endpoints.size(), false), endpoints.size()}));
  DnsCluster* dns = dns_.back().get();
  {
    std::lock_guard lock(mutex_);
    ++unresolved_;
  }
  for (size_t i = 0; i < endpoints.size(); ++i) {
    resolver_->watch({endpoints[i].address.host, cluster.config.dns_lookup_family, cluster.config.dns_refresh_rate},
                     [this, dns, i](Result<std::vector<std::string>> answer) { answered(*dns, i, std::move(answer)); });
  }
}

void ClusterRegistry::answered(DnsCluster& dns, size_t endpoint, Result<std::vector<std::string>> answer) {
  Cluster& cluster = dns.cluster;
  cluster.stats.update_attempt.add();
  if (answer) {
    cluster.stats.update_success.add();
    dns.addresses[endpoint] = std::move(*answer);
    // One connection target only, as LOGICAL_DNS means it: the first address of each answer.
    if (cluster.config.type == config::Cluster::Type::kLogicalDns && dns.addresses[endpoint].size() > 1) {
      dns.addresses[endpoint].resize(1);
    }
  } else {
    cluster.stats.update_failure.add();
    warn(cluster.config, answer.error().message);
  }
  const bool first = !dns.answered[endpoint];
  dns.answered[endpoint] = true;
  HostList hosts;
  for (size_t i = 0; i < dns.addresses.size(); ++i) {
    for (const std::string& ip : dns.addresses[i]) hosts.push_back(make_host(cluster.config.endpoints[i], ip));
  }
  publish(cluster, std::move(hosts));
  if (first && --dns.waiting == 0) {
    std::lock_guard lock(mutex_);
    if (--unresolved_ == 0) resolved_.notify_all();
  }
}

void ClusterRegistry::publish(Cluster& cluster, HostList hosts) {
  if (same(*cluster.hosts(), hosts)) return;
  cluster.set_hosts(std::make_shared<HostList>(std::move(hosts)));
  std::lock_guard lock(mutex_);
  for (const auto& [id, changed] : subscribers_) changed(cluster.index);
}

bool ClusterRegistry::wait_resolved(std::chrono::milliseconds at_most, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (!first_wait_) first_wait_ = std::chrono::steady_clock::now();
  return resolved_.wait_until(lock, stop, *first_wait_ + at_most, [this] { return unresolved_ == 0; });
}

std::optional<size_t> ClusterRegistry::find(std::string_view name) const {
  const auto it = by_name_.find(name);
  if (it == by_name_.end()) return std::nullopt;
  return it->second;
}

uint64_t ClusterRegistry::subscribe(Subscriber changed) {
  std::lock_guard lock(mutex_);
  const uint64_t id = next_id_++;
  subscribers_.emplace(id, std::move(changed));
  return id;
}

void ClusterRegistry::unsubscribe(uint64_t id) {
  std::lock_guard lock(mutex_);
  subscribers_.erase(id);
}

}  // namespace inlay::upstream
