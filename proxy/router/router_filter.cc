// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/router_filter.h"

#include <algorithm>
#include <charconv>
#include <random>

#include "http/grpc.h"
#include "http/header_fault.h"
#include "proxy/router/redirect.h"
#include "proxy/router/route_timeouts.h"
#include "upstream/failure.h"

namespace inlay::proxy::router {
namespace {

using http::HeaderId;
using upstream::ResetReason;

template <class T>
bool parse_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

void set_number(http::HeaderMap& headers, HeaderId id, int64_t n) {
  char text[24];
  const auto [end, error] = std::to_chars(text, text + sizeof text, n);
  headers.set(id, std::string_view(text, static_cast<size_t>(end - text)));
}

uint32_t flag_for(ResetReason reason) {
  switch (reason) {
    case ResetReason::kConnectFailure:
    case ResetReason::kConnectTimeout:
      return downstream::kUpstreamConnectionFailure;
    case ResetReason::kConnectionTermination:
      return downstream::kUpstreamConnectionTermination;
    case ResetReason::kLocalReset:
      return downstream::kLocalReset;
    case ResetReason::kRemoteReset:
    case ResetReason::kRemoteRefused:
      return downstream::kUpstreamRemoteReset;
    case ResetReason::kOverflow:
      return downstream::kUpstreamOverflow;
    case ResetReason::kProtocolError:
      return downstream::kUpstreamProtocolError;
    case ResetReason::kUnsendable:
      return downstream::kDownstreamProtocolError;
  }
  return 0;
}

// What is said to the router, by a filter or by a client that is no stranger; it is not passed on.
constexpr std::string_view kRouterHeaders[] = {
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-max-retries",
    "x-envoy-retriable-header-names",
    "x-envoy-retriable-status-codes",
    "x-envoy-retry-grpc-on",
    "x-envoy-retry-on",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-stream-duration-ms",
};

constexpr uint32_t kNoContent = 204;  // has no content-length, whatever the upstream says

bool is_router_header(std::string_view name) {
  return name.starts_with("x-envoy-") &&
         std::find(std::begin(kRouterHeaders), std::end(kRouterHeaders), name) != std::end(kRouterHeaders);
}

}  // namespace

bool RouterFilter::start(downstream::FilterCallbacks& callbacks) {
  callbacks_ = &callbacks;
  if (!timer_) timer_.emplace(callbacks.loop(), [this] { on_timeout(); });
  route_ = nullptr;
  weighted_ = nullptr;
  cluster_ = nullptr;
  timeout_ = std::chrono::milliseconds(0);
  request_complete_at_ = 0;
  request_complete_ = response_started_ = downstream_paused_ = handshake_ = false;
  if (callbacks.info().upgrade == downstream::Upgrade::kAsked) [[unlikely]]
    allow_upgrade();
  if (options_.routes->limits_streams() && callbacks.request_headers() != nullptr)
    limit_stream(options_.routes->match(*callbacks.request_headers()));
  return true;
}

// As in Envoy at the stream's begin, and again when filters have led it to another route.
void RouterFilter::limit_stream(const RouteEntry* route) {
  if (route == nullptr || route->route == nullptr) return;
  http::HeaderMap& headers = *callbacks_->request_headers();
  const auto own = callbacks_->listener().http.max_stream_duration;
  const StreamLimit limit = stream_limit(*route->route, headers, own);
  downstream::StreamTimeouts timeouts;
  timeouts.duration = limit.value_or(downstream::StreamTimeouts::kNone);
  if (const auto& idle = route->route->idle_timeout)
    timeouts.idle = idle->count() > 0 ? *idle : downstream::StreamTimeouts::kNone;
  callbacks_->set_timeouts(timeouts);
  if (!route->route->max_stream_duration || !http::is_grpc(headers)) return;
  if (limit)
    headers.set("grpc-timeout", http::grpc_timeout_text(*limit));
  else if (own.count() > 0)
    headers.remove("grpc-timeout");
}

// A request that never came here is logged with the cluster that it would have gone to.
void RouterFilter::on_log() {
  downstream::StreamInfo& info = callbacks_->info();
  const http::HeaderMap* headers = callbacks_->request_headers();
  if (cluster_ != nullptr || headers == nullptr) return;
  if (route_ == nullptr) choose_route(*headers);
  if (route_ == nullptr || route_->route == nullptr) return;
  if (const upstream::WorkerCluster* cluster = cluster_of(*headers)) info.upstream_cluster = cluster->config().name;
}

void RouterFilter::on_destroy() {
  timer_->disarm();
  cancel_upstream();
  callbacks_ = nullptr;
}

FormatContext RouterFilter::format_context(const http::HeaderMap* response) {
  return {callbacks_->request_headers(), response, &callbacks_->info(), callbacks_->loop().now()};
}

// --- the request ---

downstream::HeadersStatus RouterFilter::decode_headers(http::HeaderMap& headers, bool end_stream) {
  if (end_stream) on_request_complete();
  choose_route(headers);
  if (options_.routes->limits_streams() && callbacks_->info().early_route) limit_stream(route_);
  if (route_ == nullptr) {
    reply(404, "", downstream::kNoRouteFound, "route_not_found");
  } else if (route_->route == nullptr) {
    answer_directly();
  } else if (upstream::WorkerCluster* cluster = find_cluster(headers); cluster != nullptr) {
    prepare_headers(headers);
    send_upstream(*cluster, headers, end_stream);
  }
  return downstream::HeadersStatus::kStopIteration;
}

void RouterFilter::choose_route(const http::HeaderMap& headers) {
  downstream::StreamInfo& info = callbacks_->info();
  info.route = route_ = info.kept_route ? *info.kept_route : options_.routes->match(headers);
}

void RouterFilter::answer_directly() {
  host::LocalReply answer;
  answer.details = "direct_response";
  if (route_->direct_response != nullptr) {
    answer.status = route_->direct_response->status;
    answer.body = route_->followed_body ? *route_->followed_body->content() : route_->direct_response->body;
  } else {
    const http::HeaderMap& request = *callbacks_->request_headers();
    std::string location = redirect_location(*route_, request);
    if (!http::is_header_value(location)) [[unlikely]]  // a filter has given the request such a path or authority
      return refuse(http::header_fault(request));
    answer.status = route_->redirect->response_code;
    answer.headers.emplace_back("location", std::move(location));
  }
  callbacks_->send_local_reply(std::move(answer));
}

// One lot a stream: what is said of it later is of the cluster that it went to.
void RouterFilter::choose_weighted() {
  thread_local std::minstd_rand dice(std::random_device{}());
  if (weighted_ == nullptr) weighted_ = &route_->choose((uint64_t{dice()} << 31) ^ dice());
}

upstream::WorkerCluster* RouterFilter::cluster_of(const http::HeaderMap& headers) {
  if (!route_->weighted.empty()) [[unlikely]] {
    choose_weighted();
    return weighted_->cluster ? &options_.clusters->at(*weighted_->cluster) : nullptr;
  }
  if (route_->cluster) return &options_.clusters->at(*route_->cluster);
  const std::string& header = route_->route->cluster_header;
  return header.empty() ? nullptr : options_.clusters->find(headers.get(header).value_or(""));
}

upstream::WorkerCluster* RouterFilter::find_cluster(const http::HeaderMap& headers) {
  upstream::WorkerCluster* cluster = cluster_of(headers);
  if (cluster == nullptr) {
    reply(route_->route->cluster_not_found_response_code, "", downstream::kNoClusterFound, "cluster_not_found");
  }
  return cluster;
}

void RouterFilter::prepare_headers(http::HeaderMap& headers) {
  take_timeout(headers);
  if (weighted_ != nullptr && !weighted_->request_edits.empty())
    weighted_->request_edits.apply(headers, format_context(nullptr), scratch_);
  if (!route_->request_edits.empty()) route_->request_edits.apply(headers, format_context(nullptr), scratch_);
  rewrite(headers);
}

void RouterFilter::take_timeout(http::HeaderMap& headers) {
  const bool by_grpc_timeout =
      !route_->route->max_stream_duration && route_->route->max_grpc_timeout && http::is_grpc(headers);
  timeout_ = route_timeout(*route_->route, headers, by_grpc_timeout);
  if (const auto asked = headers.get(HeaderId::kXEnvoyUpstreamRqTimeoutMs)) {
    uint32_t ms = 0;
    if (parse_number(*asked, ms)) timeout_ = std::chrono::milliseconds(ms);
  }
  headers.remove_if([](const http::HeaderMap::Entry& e) { return is_router_header(e.name); });
  if (timeout_.count() == 0) return;
  if (!options_.suppress_envoy_headers) set_number(headers, HeaderId::kXEnvoyExpectedRqTimeoutMs, timeout_.count());
  if (by_grpc_timeout) headers.set("grpc-timeout", http::grpc_timeout_text(timeout_));
}

void RouterFilter::rewrite(http::HeaderMap& headers) {
  const config::RouteAction& action = *route_->route;
  if (!action.host_rewrite_literal.empty()) rewrite_host(headers, action.host_rewrite_literal);
  const std::string_view path = headers.value(HeaderId::kPath);
  if (!route_->rewrite_path(path, scratch_)) return;
  if (!options_.suppress_envoy_headers) headers.set(HeaderId::kXEnvoyOriginalPath, path);
  headers.set(HeaderId::kPath, scratch_);
}

void RouterFilter::rewrite_host(http::HeaderMap& headers, std::string_view host) {
  if (!options_.suppress_envoy_headers) headers.set("x-envoy-original-host", headers.value(HeaderId::kAuthority));
  headers.set(HeaderId::kAuthority, host);
}

void RouterFilter::send_upstream(upstream::WorkerCluster& cluster, http::HeaderMap& headers, bool end_stream) {
  cluster_ = &cluster;
  downstream::StreamInfo& info = callbacks_->info();
  info.upstream_cluster = cluster.config().name;
  if (options_.scheme_matches_upstream) [[unlikely]]
    headers.set(HeaderId::kScheme, cluster.config().tls ? "https" : "http");
  if (const std::string fault = upstream::request_fault(headers); !fault.empty()) [[unlikely]]
    return refuse(fault);
  upstream::ConnectionPool* host = cluster.choose_host(callbacks_->info().protocol == "HTTP/2");
  if (host == nullptr) {
    cluster.stats().charge_response(503);
    reply(503, upstream::kNoHealthyUpstreamText, downstream::kNoHealthyUpstream, "no_healthy_upstream");
    return;
  }
  info.upstream_host = host->host().address;
  info.upstream_asked_monotonic = callbacks_->loop().now();
  ++info.upstream_request_attempts;
  if (route_->route->auto_host_rewrite && !host->host().hostname.empty()) {
    rewrite_host(headers, host->host().hostname);
  }
  start(*host, headers, end_stream);
}

// A request that cannot be sent, in Envoy's words and with its flag.
void RouterFilter::refuse(std::string_view fault) {
  reply(503, fault, downstream::kDownstreamProtocolError, http::fault_details("request", fault));
}

downstream::DataStatus RouterFilter::decode_data(Buffer& data, bool end_stream) {
  if (end_stream) on_request_complete();
  if (tunnel_) [[unlikely]]
    tunnel_->send_data(data, end_stream);
  else
    request_.send_data(data, end_stream);
  return downstream::DataStatus::kStopIterationNoBuffer;
}

downstream::TrailersStatus RouterFilter::decode_trailers(http::HeaderMap& trailers) {
  on_request_complete();
  Buffer none;
  if (tunnel_) [[unlikely]]
    tunnel_->send_data(none, true);
  else
    request_.send_trailers(trailers);
  return downstream::TrailersStatus::kStopIteration;
}

// The route's timeout is about the upstream's time, so a client that sends slowly does not use it up.
void RouterFilter::on_request_complete() {
  request_complete_ = true;
  request_complete_at_ = callbacks_->loop().now();
  if (request_.active() && timeout_.count() > 0) timer_->arm(timeout_);
}

void RouterFilter::on_upstream_above_watermark() {
  downstream_paused_ = true;
  callbacks_->pause_request();
}

void RouterFilter::on_upstream_below_watermark() {
  release_downstream();
}

void RouterFilter::release_downstream() {
  if (!downstream_paused_) return;
  downstream_paused_ = false;
  callbacks_->resume_request();
}

// --- the response ---

void RouterFilter::on_upstream_connection(const net::Connection& connection) {
  callbacks_->info().upstream_local = connection.local_address();
  callbacks_->info().upstream_tls = connection.shared_tls();
  callbacks_->info().upstream_connected_monotonic = callbacks_->loop().now();
}

void RouterFilter::on_upstream_headers(bool end_stream) {
  http::HeaderMap& headers = *response_headers_;
  const int64_t now = callbacks_->loop().now();
  callbacks_->info().upstream_first_byte_monotonic = now;
  uint32_t status = 0;
  parse_number(headers.value(HeaderId::kStatus), status);
  if (handshake_ && !end_handshake(headers, status)) [[unlikely]]
    return;
  response_started_ = true;
  callbacks_->info().response_code_details = "via_upstream";
  callbacks_->info().response_code = status;
  if (status == kNoContent) headers.remove(HeaderId::kContentLength);
  cluster_->stats().charge_response(status);
  if (request_complete_) {
    const int64_t milliseconds = (now - request_complete_at_) / 1'000'000;
    cluster_->stats().record_time(static_cast<uint64_t>(milliseconds));
    if (!options_.suppress_envoy_headers) set_number(headers, HeaderId::kXEnvoyUpstreamServiceTime, milliseconds);
  }
  edit_response(headers);
  if (end_stream) on_upstream_complete();
  callbacks_->encode_headers(end_stream);
}

void RouterFilter::on_upstream_data(Buffer& data, bool end_stream) {
  if (end_stream) on_upstream_complete();
  callbacks_->encode_data(data, end_stream);
}

void RouterFilter::on_upstream_trailers() {
  on_upstream_complete();
  callbacks_->encode_trailers();
}

void RouterFilter::on_upstream_complete() {
  callbacks_->info().upstream_last_byte_monotonic = callbacks_->loop().now();
  timer_->disarm();
  release_downstream();
}

void RouterFilter::on_upstream_reset(ResetReason reason, std::string_view detail) {
  timer_->disarm();
  release_downstream();
  if (reason == ResetReason::kUnsendable) [[unlikely]]
    return refuse(detail);
  downstream::StreamInfo& info = callbacks_->info();
  const std::string details = upstream::failure_details(reason, detail, response_started_);
  if (reason == ResetReason::kConnectFailure) info.upstream_transport_failure = detail;
  if (callbacks_->response_sent()) {
    info.response_flags |= flag_for(reason);
    callbacks_->reset_stream(details);
    return;
  }
  const uint32_t status = upstream::status_for(reason);
  cluster_->stats().charge_response(status);
  info.response_flags |= flag_for(reason);
  host::LocalReply answer;
  answer.status = status;
  answer.body = upstream::failure_text(reason);
  answer.details = details;
  if (reason == ResetReason::kOverflow && !options_.suppress_envoy_headers) {
    answer.headers.emplace_back("x-envoy-overloaded", "true");
  }
  callbacks_->send_local_reply(std::move(answer));
}

void RouterFilter::on_timeout() {
  if (callbacks_ == nullptr || cluster_ == nullptr) return;
  cluster_->stats().rq_timeout.add();
  request_.cancel();
  release_downstream();
  if (callbacks_->response_sent()) {
    callbacks_->info().response_flags |= downstream::kUpstreamRequestTimeout;
    callbacks_->reset_stream("response_timeout");
    return;
  }
  cluster_->stats().charge_response(504);
  reply(504, upstream::kTimeoutText, downstream::kUpstreamRequestTimeout, "response_timeout");
}

void RouterFilter::reply(uint32_t status, std::string_view body, uint32_t flag, std::string_view details) {
  callbacks_->info().response_flags |= flag;
  host::LocalReply answer;
  answer.status = status;
  answer.body = body;
  answer.details = details;
  callbacks_->send_local_reply(std::move(answer));
}

// So that a route's headers are on all of its responses. A reply of a filter before the router may come before there is
// a route.
void RouterFilter::begin_local_reply(http::HeaderMap& headers) {
  edit_response(headers);
}

void RouterFilter::edit_response(http::HeaderMap& headers) {
  if (route_ == nullptr && callbacks_->request_headers() != nullptr) {
    route_ = options_.routes->match(*callbacks_->request_headers());
    callbacks_->info().route = route_;
  }
  if (weighted_ != nullptr && !weighted_->response_edits.empty())
    weighted_->response_edits.apply(headers, format_context(&headers), scratch_);
  if (route_ == nullptr || route_->response_edits.empty()) return;
  route_->response_edits.apply(headers, format_context(&headers), scratch_);
}

}  // namespace inlay::proxy::router
