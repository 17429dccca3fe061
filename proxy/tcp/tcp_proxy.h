// SPDX-License-Identifier: Apache-2.0
#pragma once

// TcpProxyFilter: the last filter of a chain, which relays the connection to a host of a cluster
// (envoy.filters.network.tcp_proxy). The client is read only while the server can take more, and the server only while
// the client can. A half-closed connection goes on in the other direction.

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "config/model.h"
#include "proxy/tcp/filter.h"
#include "proxy/tcp/tcp_stats.h"
#include "upstream/cluster_manager.h"
#include "upstream/tcp_upstream.h"

namespace inlay::proxy::tcp {

class TcpProxyFactory;

// The filter state that names the cluster of one connection, in place of the configured one, as in Envoy. A guest sets
// it with the foreign function set_envoy_filter_state, in on_new_connection.
inline constexpr std::string_view kClusterState = "envoy.tcp_proxy.cluster";

class TcpProxyFilter final : public Filter, private upstream::TcpUpstreamHandler {
 public:
  explicit TcpProxyFilter(TcpProxyFactory& factory) : factory_(factory) {}

  void start(FilterCallbacks& callbacks) override;
  Action on_new_connection() override;
  Action on_read(Buffer& data, bool end_stream) override;
  void on_above_write_watermark() override;
  void on_below_write_watermark() override;
  void on_close(abi::PeerType by) override;

 private:
  // upstream::TcpUpstreamHandler
  void on_upstream_connected() override;
  void on_upstream_failed(upstream::ResetReason reason, std::string_view detail) override;
  void on_upstream_data(Buffer& data, bool end) override;
  void on_upstream_closed(bool reset) override;
  void on_upstream_above_watermark() override;
  void on_upstream_below_watermark() override;

  void connect();
  void give_up(std::string_view details, uint32_t flags);
  // A byte has moved: the idle time begins anew.
  void touch();

  TcpProxyFactory& factory_;
  FilterCallbacks* callbacks_ = nullptr;
  upstream::WorkerCluster* cluster_ = nullptr;
  std::unique_ptr<upstream::TcpUpstream> upstream_;
  std::unique_ptr<upstream::TcpUpstream> failed_;  // the attempt before, until the next one fails
  std::optional<net::Timer> idle_timer_;
  std::optional<net::Timer> duration_timer_;
  uint32_t attempts_ = 0;
  bool read_ended_ = false;
  bool client_full_ = false;
};

// One a listener and worker.
class TcpProxyFactory final : public FilterFactory {
 public:
  // All of these outlive the factory. `seed` makes the workers choose differently.
  TcpProxyFactory(net::EventLoop& loop, const config::TcpProxy& config, upstream::ClusterManager& clusters,
                  stats::MetricStore& metrics, uint32_t seed);
  std::unique_ptr<Filter> create() override { return std::make_unique<TcpProxyFilter>(*this); }

 private:
  friend class TcpProxyFilter;
  // The cluster for a connection, by its filter state or by weight; nullptr when there is none of that name.
  upstream::WorkerCluster* choose_cluster(const downstream::StreamInfo& info);

  net::EventLoop& loop_;
  const config::TcpProxy& config_;
  upstream::ClusterManager& all_clusters_;
  const TcpStats stats_;
  std::vector<upstream::WorkerCluster*> clusters_;  // one for each target
  std::discrete_distribution<size_t> by_weight_;
  std::minstd_rand random_;
};

}  // namespace inlay::proxy::tcp
