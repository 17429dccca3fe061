// SPDX-License-Identifier: Apache-2.0
#include "proxy/tcp/tcp_proxy.h"

#include <string>
#include <utility>

namespace inlay::proxy::tcp {

using Close = net::Connection::Close;
using upstream::TcpUpstream;

TcpProxyFactory::TcpProxyFactory(net::EventLoop& loop, const config::TcpProxy& config,
                                 upstream::ClusterManager& clusters, stats::MetricStore& metrics, uint32_t seed)
    : loop_(loop), config_(config), all_clusters_(clusters), stats_(metrics, config), random_(seed | 1) {
  std::vector<double> weights;
  for (const config::TcpProxy::Target& target : config.targets) {
    clusters_.push_back(clusters.find(target.cluster));
    weights.push_back(target.weight);
  }
  by_weight_ = std::discrete_distribution<size_t>(weights.begin(), weights.end());
}

upstream::WorkerCluster* TcpProxyFactory::choose_cluster(const downstream::StreamInfo& info) {
  for (const downstream::FilterState& state : info.filter_state)
    if (state.name == kClusterState) return all_clusters_.find(state.value);
  return clusters_[clusters_.size() == 1 ? 0 : by_weight_(random_)];
}

// --- the connection ---

void TcpProxyFilter::start(FilterCallbacks& callbacks) {
  callbacks_ = &callbacks;
  callbacks.allow_reading(false);  // until there is a server to take it
  const auto longest = factory_.config_.max_connection_duration;
  if (longest.count() == 0) return;
  duration_timer_.emplace(factory_.loop_, [this] {
    factory_.stats_.max_downstream_connection_duration.add();
    callbacks_->close(Close::kNow, "max_downstream_connection_duration", downstream::kDurationTimeout);
  });
  duration_timer_->arm(longest);
}

Action TcpProxyFilter::on_new_connection() {
  cluster_ = factory_.choose_cluster(callbacks_->info());
  if (cluster_ == nullptr) {
    factory_.stats_.downstream_cx_no_route.add();
    give_up("cluster_not_found", downstream::kNoClusterFound);
    return Action::kPause;
  }
  callbacks_->info().upstream_cluster = cluster_->config().name;
  connect();
  return Action::kPause;
}

void TcpProxyFilter::connect() {
  ++attempts_;
  upstream::ConnectionPool* host = cluster_->choose_host();
  if (host == nullptr) return give_up("no_healthy_upstream", downstream::kNoHealthyUpstream);
  if (!TcpUpstream::has_room(cluster_->shared())) {
    cluster_->stats().cx_overflow.add();
    return give_up("upstream_overflow", downstream::kUpstreamOverflow);
  }
  downstream::StreamInfo& info = callbacks_->info();
  info.upstream_host = host->host().address;
  info.upstream_request_attempts = attempts_;
  failed_ = std::move(upstream_);  // it may be what calls us
  upstream::TcpUpstreamHandler& self = *this;
  upstream_ = std::make_unique<TcpUpstream>(factory_.loop_, *host, self, factory_.config_.idle_timeout);
}

void TcpProxyFilter::give_up(std::string_view details, uint32_t flags) {
  callbacks_->close(Close::kNow, details, flags);
}

void TcpProxyFilter::on_upstream_failed(upstream::ResetReason reason, std::string_view detail) {
  if (reason == upstream::ResetReason::kConnectFailure) callbacks_->info().upstream_transport_failure = detail;
  callbacks_->info().response_flags |= downstream::kUpstreamConnectionFailure;
  if (attempts_ < factory_.config_.max_connect_attempts) return connect();
  cluster_->stats().cx_connect_attempts_exceeded.add();
  give_up(reason == upstream::ResetReason::kConnectTimeout ? "upstream_connect_timeout" : "upstream_connect_failure",
          downstream::kUpstreamRetryLimitExceeded);
}

void TcpProxyFilter::on_upstream_connected() {
  failed_.reset();
  callbacks_->info().upstream_local = upstream_->connection().local_address();
  callbacks_->info().upstream_tls = upstream_->connection().shared_tls();
  if (factory_.config_.idle_timeout.count() > 0) {
    idle_timer_.emplace(factory_.loop_, [this] {
      factory_.stats_.idle_timeout.add();
      callbacks_->close(Close::kNow, "idle_timeout");
    });
  }
  touch();
  if (!client_full_) upstream_->resume_reading();
  callbacks_->allow_reading(true);
}

void TcpProxyFilter::touch() {
  if (idle_timer_) idle_timer_->arm(factory_.config_.idle_timeout);
}

// --- from the client to the server ---

Action TcpProxyFilter::on_read(Buffer& data, bool end_stream) {
  if (!upstream_ || !upstream_->connected()) return Action::kPause;
  touch();
  if (!data.empty()) upstream_->write(data);
  if (end_stream && !std::exchange(read_ended_, true)) upstream_->end_write();
  return Action::kContinue;
}

void TcpProxyFilter::on_upstream_above_watermark() {
  factory_.stats_.downstream_flow_control_paused_reading_total.add();
  callbacks_->allow_reading(false);
}

void TcpProxyFilter::on_upstream_below_watermark() {
  factory_.stats_.downstream_flow_control_resumed_reading_total.add();
  touch();
  callbacks_->allow_reading(true);
}

// --- from the server to the client ---

void TcpProxyFilter::on_upstream_data(Buffer& data, bool end) {
  touch();
  callbacks_->write(data, end);  // may end all this
}

void TcpProxyFilter::on_above_write_watermark() {
  client_full_ = true;
  if (upstream_ && upstream_->connected()) upstream_->pause_reading();
}

void TcpProxyFilter::on_below_write_watermark() {
  client_full_ = false;
  touch();
  if (upstream_ && upstream_->connected()) upstream_->resume_reading();
}

// As Envoy since 1.39 (the server's RST) and 1.40 (the client's): a reset is passed on, and what is unsent with it.
void TcpProxyFilter::on_upstream_closed(bool reset) {
  callbacks_->close(reset ? Close::kReset : Close::kAfterFlush, "upstream_closed");
}

// --- the end ---

void TcpProxyFilter::on_close(abi::PeerType by) {
  idle_timer_.reset();
  duration_timer_.reset();
  if (!upstream_) return;
  if (callbacks_->client_has_reset()) return upstream_->close(Close::kReset);
  upstream_->close(by == abi::PeerType::kRemote || read_ended_ ? Close::kAfterFlush : Close::kNow);
}

}  // namespace inlay::proxy::tcp
