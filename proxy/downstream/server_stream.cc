// SPDX-License-Identifier: Apache-2.0
#include "proxy/downstream/server_stream.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <utility>

#include "http/grpc.h"
#include "http/status_reason.h"
#include "proxy/downstream/connection_manager_impl.h"
#include "proxy/downstream/stream_logger.h"

namespace inlay::proxy::downstream {
namespace {

int64_t system_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

FilterState* find_state(std::vector<FilterState>& states, std::string_view name) {
  const auto at = std::find_if(states.begin(), states.end(), [&](const FilterState& s) { return s.name == name; });
  return at == states.end() ? nullptr : &*at;
}

// As in Envoy a request sees what the connection has, and what it changes of that is changed for all
// (wasm_filter/filter_state.h); what else it stores is its own.
void inherit(const ConnectionState& state, StreamInfo& info) {
  info.filter_state = state.own;
  if (state.below == nullptr) return;
  for (const FilterState& below : *state.below) {
    if (find_state(info.filter_state, below.name) != nullptr) continue;
    info.filter_state.push_back(below);
    info.filter_state.back().of_connection = false;
    info.filter_state.back().of_below = true;
  }
  info.state_below = state.below;
}

}  // namespace

uint32_t response_status(const HeaderMap& headers) {
  const std::string_view text = headers.value(http::HeaderId::kStatus);
  uint32_t status = 500;
  if (http::is_status(text)) std::from_chars(text.data(), text.data() + text.size(), status);
  return status;
}

host::LocalReply local_reply(uint32_t status, std::string body, std::string details) {
  host::LocalReply reply;
  reply.status = status;
  reply.body = std::move(body);
  reply.details = std::move(details);
  return reply;
}

ServerStream::ServerStream(net::EventLoop& loop, const config::Listener& listener,
                           const std::vector<FilterFactory*>& factories)
    : chain(loop, listener, factories),
      idle_(loop, [this] { on_timeout(Timeout::kIdle); }),
      request_(loop, [this] { on_timeout(Timeout::kRequest); }),
      duration_(loop, [this] { on_timeout(Timeout::kDuration); }) {}

void ServerStream::begin(ConnectionManager::Impl& manager, StreamOwner& owner, net::Connection& connection,
                         const ConnectionState& state) {
  manager_ = &manager;
  owner_ = &owner;
  chain.start(owner);
  manager.stats.rq_total.add();
  manager.stats.rq_active.add();
  StreamInfo& info = chain.info();
  info.start_monotonic = manager.loop.now();
  info.start_system = system_now();
  info.stream_id = manager.rules.ids().next();
  info.connection_id = connection.id();
  info.downstream_local = &connection.local_address();
  info.downstream_remote = info.downstream_direct_remote = &connection.remote_address();
  info.downstream_tls = connection.tls();
  if (!state.own.empty() || state.below != nullptr) inherit(state, info);
  const config::HttpConnectionManager& http = manager.http;
  if (http.request_timeout.count() > 0) request_.arm(http.request_timeout);
  if (http.max_stream_duration.count() > 0) duration_.arm(http.max_stream_duration);
  idle_timeout_ = http.stream_idle_timeout;
  touch();
}

void ServerStream::touch() {
  if (idle_timeout_.count() > 0) idle_.arm(idle_timeout_);
}

void ServerStream::set_timeouts(const StreamTimeouts& timeouts) {
  constexpr auto kNone = StreamTimeouts::kNone;
  idle_timeout_ = timeouts.idle.value_or(manager_->http.stream_idle_timeout);
  if (idle_timeout_ == kNone) idle_timeout_ = std::chrono::milliseconds(0);
  idle_.disarm();
  touch();
  const std::chrono::milliseconds own = manager_->http.max_stream_duration;
  const auto all = timeouts.duration.value_or(own.count() > 0 ? own : kNone);
  if (all == kNone) return duration_.disarm();
  const std::chrono::milliseconds used((manager_->loop.now() - chain.info().start_monotonic) / 1'000'000);
  duration_.arm(std::max(all - used, std::chrono::milliseconds(0)));
}

// Who is late decides the status: the client while its request is incomplete, else what is behind us.
void ServerStream::on_timeout(Timeout timeout) {
  const uint32_t status = owner_->request_is_complete() ? 504 : 408;
  const HttpStats& stats = manager_->stats;
  switch (timeout) {
    case Timeout::kIdle:
      stats.rq_idle_timeout.add();
      chain.info().response_flags |= kStreamIdleTimeout;
      return chain.send_local_reply(local_reply(status, "stream timeout", "stream_idle_timeout"));
    case Timeout::kRequest:
      stats.rq_timeout.add();
      return chain.send_local_reply(local_reply(408, "request timeout", "request_overall_timeout"));
    case Timeout::kDuration: {
      stats.rq_max_duration_reached.add();
      chain.info().response_flags |= kDurationTimeout;
      host::LocalReply reply = local_reply(status, "downstream duration timeout", "max_duration_timeout");
      reply.grpc_status = http::kGrpcDeadlineExceeded;
      return chain.send_local_reply(std::move(reply));
    }
  }
}

// Before it is finished: why it ends without its response, or in the middle of it.
void ServerStream::charge_reset(std::string_view details, uint32_t flag) {
  if (chain.finished()) return;
  StreamInfo& info = chain.info();
  info.response_flags |= flag;
  if (info.response_code_details.empty() || flag == kDownstreamConnectionTermination) {
    info.response_code_details = details;
  }
  (flag == kDownstreamConnectionTermination ? manager_->stats.rq_rx_reset : manager_->stats.rq_tx_reset).add();
}

void ServerStream::finish(ConnectionManager::Impl& manager, ConnectionState& state) {
  StreamInfo& info = chain.info();
  for (StreamLogger* logger : manager.options.loggers) {
    logger->log({info, chain.request_headers(), chain.request_trailers(), chain.response_headers(),
                 chain.response_trailers(), manager.loop.now()});
  }
  manager.stats.rq_active.sub();
  if (info.response_code != 0) manager.stats.charge_response(info.response_code);
  if (manager.stats.rq_time) {
    stats::MetricStore::record(*manager.stats.rq_time,
                               static_cast<uint64_t>((manager.loop.now() - info.start_monotonic) / 1'000'000));
  }
  if (!info.filter_state.empty()) {
    for (FilterState& kept : info.take_connection_state()) {
      FilterState* known = find_state(state.own, kept.name);
      if (known != nullptr) {
        *known = std::move(kept);
      } else {
        state.own.push_back(std::move(kept));
      }
    }
  }
  idle_.disarm();
  request_.disarm();
  duration_.disarm();
  owner_ = nullptr;
}

}  // namespace inlay::proxy::downstream
