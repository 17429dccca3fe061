// SPDX-License-Identifier: Apache-2.0
// The router's way with upgrades and with CONNECT.
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "http/upgrade.h"
#include "proxy/router/router_filter.h"
#include "proxy/router/upgrades.h"

namespace inlay::proxy::router {
namespace {

using http::HeaderId;

constexpr uint32_t kSwitchingProtocols = 101;
constexpr uint32_t kFirstError = 400;

}  // namespace

// As in Envoy by the route that the request has as it comes; without one it is answered like all others.
void RouterFilter::allow_upgrade() {
  const http::HeaderMap& headers = *callbacks_->request_headers();
  const RouteEntry* route = options_.routes->match(headers);
  if (route == nullptr) return;
  const std::string type = http::is_upgrade(headers) ? http::upgrade_type(headers)
                                                     : std::string(headers.value(HeaderId::kMethod));  // CONNECT
  const bool allowed = allows_upgrade(callbacks_->listener().http, route->route, type);
  callbacks_->info().upgrade = allowed ? downstream::Upgrade::kAccepted : downstream::Upgrade::kRefused;
}

upstream::UpstreamRequest::Kind RouterFilter::kind_of(const http::HeaderMap& headers) {
  using Kind = upstream::UpstreamRequest::Kind;
  if (callbacks_->info().upgrade != downstream::Upgrade::kAccepted) [[likely]]
    return Kind::kMessage;
  if (http::is_upgrade(headers)) return Kind::kUpgrade;
  return headers.value(HeaderId::kMethod) == "CONNECT" ? Kind::kConnect : Kind::kMessage;
}

void RouterFilter::start(upstream::ConnectionPool& host, http::HeaderMap& headers, bool end_stream) {
  using Kind = upstream::UpstreamRequest::Kind;
  const Kind kind = kind_of(headers);
  if (kind == Kind::kConnect && terminates_connect(*route_->route)) {
    upstream::UpstreamHandler& handler = *this;
    tunnel_ = std::make_unique<TcpTunnel>(handler);
    if (!tunnel_->start(callbacks_->loop(), host)) on_upstream_reset(upstream::ResetReason::kOverflow, "");
    return;
  }
  handshake_ = kind == Kind::kUpgrade && http::is_websocket_upgrade(headers);
  const bool timed = kind == Kind::kMessage ? request_complete_ : handshake_;
  if (timed && timeout_.count() > 0) timer_->arm(timeout_);
  // A client of HTTP/2 may end its side of what follows, which is then no request that waits for its answer.
  if (kind != Kind::kMessage) timeout_ = std::chrono::milliseconds(0);
  if (request_.start(host, headers, end_stream, kind) == upstream::UpstreamRequest::Started::kOverflow) {
    on_upstream_reset(upstream::ResetReason::kOverflow, "");
  }
}

void RouterFilter::cancel_upstream() {
  request_.cancel();
  if (!tunnel_) [[likely]]
    return;
  tunnel_->close();
  callbacks_->loop().delete_later(std::move(tunnel_));
}

// As in Envoy 1.40: the route's timeout is over with the answer; an error goes to the client as it is, and of any other
// answer that does not agree the head alone.
bool RouterFilter::end_handshake(const http::HeaderMap& headers, uint32_t status) {
  handshake_ = false;
  if (status == kSwitchingProtocols) timer_->disarm();
  if (status == kSwitchingProtocols || status >= kFirstError) return true;
  host::LocalReply answer;
  answer.status = status;
  answer.details = "websocket_handshake_unsuccessful";
  for (const auto& entry : headers) {
    const bool framing = entry.id == HeaderId::kContentLength || entry.id == HeaderId::kTransferEncoding;
    if (!framing && !entry.name.starts_with(':')) answer.headers.emplace_back(entry.name, entry.value);
  }
  timer_->disarm();
  request_.cancel();
  release_downstream();
  callbacks_->send_local_reply(std::move(answer));
  return false;
}

}  // namespace inlay::proxy::router
