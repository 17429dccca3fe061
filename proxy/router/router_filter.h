// SPDX-License-Identifier: Apache-2.0
#pragma once

// The router: the last filter of every chain. It chooses the route once the other filters have had the request, sends
// the request upstream and brings the response back; or it answers itself, with Envoy's statuses, words and flags.
// Made per stream object and used again for stream after stream; allocates nothing for an ordinary request.

#include <memory>
#include <optional>
#include <string>

#include "net/event_loop.h"
#include "proxy/downstream/filter.h"
#include "proxy/router/route_table.h"
#include "proxy/router/tcp_tunnel.h"
#include "upstream/cluster_manager.h"
#include "upstream/request.h"

namespace inlay::proxy::router {

class RouterFilter final : public downstream::StreamFilter, private upstream::UpstreamHandler {
 public:
  struct Options {
    std::shared_ptr<const RouteTable> routes;
    upstream::ClusterManager* clusters = nullptr;  // not null; outlives the filter
    bool suppress_envoy_headers = false;
    bool scheme_matches_upstream = false;  // scheme_header_transformation.match_upstream
  };
  explicit RouterFilter(const Options& options) : options_(options), request_(*this) {}

  bool start(downstream::FilterCallbacks& callbacks) override;
  downstream::HeadersStatus decode_headers(http::HeaderMap& headers, bool end_stream) override;
  downstream::DataStatus decode_data(Buffer& data, bool end_stream) override;
  downstream::TrailersStatus decode_trailers(http::HeaderMap& trailers) override;
  void begin_local_reply(http::HeaderMap& headers) override;
  void on_above_write_watermark() override { tunnel_ ? tunnel_->pause_response() : request_.pause_response(); }
  void on_below_write_watermark() override { tunnel_ ? tunnel_->resume_response() : request_.resume_response(); }
  void on_log() override;
  void on_destroy() override;

 private:
  // UpstreamHandler
  http::HeaderMap& response_headers_storage() override {
    response_headers_ = &callbacks_->response_storage();  // which empties it
    return *response_headers_;
  }
  http::HeaderMap& response_trailers_storage() override { return callbacks_->response_trailers_storage(); }
  void on_upstream_connection(const net::Connection& connection) override;
  void on_upstream_informational() override { callbacks_->encode_informational(*response_headers_); }
  void on_upstream_headers(bool end_stream) override;
  void on_upstream_data(Buffer& data, bool end_stream) override;
  void on_upstream_trailers() override;
  void on_upstream_reset(upstream::ResetReason reason, std::string_view detail) override;
  void on_upstream_above_watermark() override;
  void on_upstream_below_watermark() override;

  void choose_route(const http::HeaderMap& headers);
  void limit_stream(const RouteEntry* route);
  void allow_upgrade();
  // A WebSocket's handshake has come to an answer. False: it failed, and its answer is made of `headers`.
  bool end_handshake(const http::HeaderMap& headers, uint32_t status);
  void answer_directly();
  // The cluster that the route leads to; nullptr: there is none.
  upstream::WorkerCluster* cluster_of(const http::HeaderMap& headers);
  // The same; nullptr: answered with a local reply.
  upstream::WorkerCluster* find_cluster(const http::HeaderMap& headers);
  void prepare_headers(http::HeaderMap& headers);
  void take_timeout(http::HeaderMap& headers);
  void rewrite(http::HeaderMap& headers);
  void rewrite_host(http::HeaderMap& headers, std::string_view host);
  void send_upstream(upstream::WorkerCluster& cluster, http::HeaderMap& headers, bool end_stream);
  // Of what filters have left of the request.
  upstream::UpstreamRequest::Kind kind_of(const http::HeaderMap& headers);
  void start(upstream::ConnectionPool& host, http::HeaderMap& headers, bool end_stream);
  // A tunnel is destroyed on a later turn: this may be inside of one of its calls.
  void cancel_upstream();
  void refuse(std::string_view fault);
  void edit_response(http::HeaderMap& headers);
  void choose_weighted();
  void on_request_complete();
  void on_timeout();
  void reply(uint32_t status, std::string_view body, uint32_t flag, std::string_view details);
  void on_upstream_complete();
  void release_downstream();
  FormatContext format_context(const http::HeaderMap* response);

  const Options& options_;
  upstream::UpstreamRequest request_;
  std::unique_ptr<TcpTunnel> tunnel_;  // of a CONNECT that ends here, in the place of request_
  downstream::FilterCallbacks* callbacks_ = nullptr;
  std::optional<net::Timer> timer_;
  const RouteEntry* route_ = nullptr;
  const RouteEntry::Weighted* weighted_ = nullptr;  // of the route's weighted clusters, where it has some
  upstream::WorkerCluster* cluster_ = nullptr;
  http::HeaderMap* response_headers_ = nullptr;  // where the upstream's response is parsed to
  std::chrono::milliseconds timeout_{0};
  int64_t request_complete_at_ = 0;
  bool request_complete_ = false;
  bool response_started_ = false;
  bool downstream_paused_ = false;
  bool handshake_ = false;  // of a WebSocket: the upstream has not answered yet
  std::string scratch_;
};

class RouterFilterFactory final : public downstream::FilterFactory {
 public:
  RouterFilterFactory(std::string name, RouterFilter::Options options)
      : name_(std::move(name)), options_(std::move(options)) {}
  std::unique_ptr<downstream::StreamFilter> create() override { return std::make_unique<RouterFilter>(options_); }
  std::string_view name() const override { return name_; }

 private:
  std::string name_;
  RouterFilter::Options options_;
};

}  // namespace inlay::proxy::router
