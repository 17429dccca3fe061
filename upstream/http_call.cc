// SPDX-License-Identifier: Apache-2.0
#include "upstream/http_call.h"

#include <chrono>
#include <string>

#include "http/grpc.h"
#include "http/header_fault.h"
#include "upstream/call_stream.h"
#include "upstream/failure.h"

namespace inlay::upstream {

using http::HeaderId;

namespace {
constexpr uint32_t kNoContent = 204;  // has no content-length, whatever the upstream says
constexpr int64_t kTellEvery = 1'000'000'000;
}  // namespace

class HttpCalls::Call final : public UpstreamHandler {
 public:
  Call(HttpCalls& owner, uint64_t id, WorkerCluster& cluster, host::HttpCallRequest request,
       host::HttpCallHandler& handler)
      : owner_(owner),
        id_(id),
        cluster_(cluster),
        message_(std::move(request)),
        handler_(handler),
        request_(*this),
        timer_(owner.loop_, [this] { on_timeout(); }) {}

  void start(ConnectionPool& host) {
    started_ = owner_.loop_.now();
    prepare(message_.headers, message_.timeout, timer_);
    if (!message_.body.empty()) message_.headers.set("content-length", std::to_string(message_.body.size()));
    starting_ = true;
    // Before anything is sent: the guest's bytes would go to the upstream as they are.
    if (const std::string fault = http::header_fault(message_.headers); !fault.empty()) [[unlikely]] {
      answer_locally(503, fault);
      finish();
      starting_ = false;
      return;
    }
    const bool end = message_.body.empty();
    if (request_.start(host, message_.headers, end) == UpstreamRequest::Started::kOverflow) {
      on_upstream_reset(ResetReason::kOverflow, "");
    } else if (!end && request_.active()) {
      Buffer body;
      body.append(message_.body);
      request_.send_data(body, true);
    }
    starting_ = false;
  }

  host::HttpCallHandler& handler() { return handler_; }

  // UpstreamHandler
  http::HeaderMap& response_headers_storage() override { return response_.headers; }
  http::HeaderMap& response_trailers_storage() override { return response_.trailers; }
  void on_upstream_headers(bool end_stream) override {
    headers_came_ = true;
    const uint32_t status = http::http_status(response_.headers);
    const std::string milliseconds = owner_.charge(cluster_, status, started_);
    if (status == kNoContent) response_.headers.remove(HeaderId::kContentLength);
    response_.headers.set(HeaderId::kXEnvoyUpstreamServiceTime, milliseconds);
    if (end_stream) finish();
  }
  void on_upstream_data(Buffer& data, bool end_stream) override {
    if (response_.body.size() + data.size() > owner_.max_response_body_) {
      data.clear();
      request_.cancel();
      finish_reset();
      return;
    }
    response_.body.move_from(data);
    if (end_stream) finish();
  }
  void on_upstream_trailers() override { finish(); }
  void on_upstream_reset(ResetReason reason, std::string_view detail) override {
    if (headers_came_) {
      finish_reset();
      return;
    }
    if (reason == ResetReason::kConnectFailure) owner_.tell(cluster_, detail);
    answer_locally(status_for(reason), failure_text(reason));
    if (reason == ResetReason::kOverflow) response_.headers.add("x-envoy-overloaded", "true");
    finish();
  }

 private:
  void on_timeout() {
    cluster_.stats().rq_timeout.add();
    request_.cancel();
    if (headers_came_) {
      finish_reset();
      return;
    }
    answer_locally(504, kTimeoutText);
    finish();
  }

  void answer_locally(uint32_t status, std::string_view body) {
    cluster_.stats().charge_response(status);
    response_.headers.clear();
    response_.body.clear();
    if (http::is_grpc(message_.headers))
      return http::set_grpc_answer(response_.headers, http::grpc_status_of(status), body);
    response_.headers.add(":status", std::to_string(status));
    response_.headers.add("content-length", std::to_string(body.size()));
    response_.headers.add("content-type", "text/plain");
    response_.body.append(body);
  }

  void finish_reset() {
    response_ = host::HttpCallResponse();
    response_.reset = true;
    finish();
  }

  void finish() {
    timer_.disarm();
    if (!starting_) {
      owner_.finish(id_, std::move(response_));
      return;
    }
    // Never from inside of start_http_call: the guest has not got its token yet.
    owner_.loop_.post([owner = &owner_, alive = owner_.alive_, id = id_] {
      if (!*alive) return;
      const auto it = owner->calls_.find(id);
      if (it != owner->calls_.end()) owner->finish(id, std::move(it->second->response_));
    });
  }

  HttpCalls& owner_;
  const uint64_t id_;
  WorkerCluster& cluster_;
  host::HttpCallRequest message_;
  host::HttpCallHandler& handler_;
  host::HttpCallResponse response_;
  UpstreamRequest request_;
  net::Timer timer_;
  int64_t started_ = 0;
  bool starting_ = false;
  bool headers_came_ = false;
};

HttpCalls::HttpCalls(net::EventLoop& loop, ClusterManager& clusters, size_t max_response_body)
    : loop_(loop), clusters_(clusters), max_response_body_(max_response_body), alive_(std::make_shared<bool>(true)) {}

HttpCalls::~HttpCalls() {
  *alive_ = false;
}

void HttpCalls::prepare(http::HeaderMap& headers, host::Nanoseconds timeout, net::Timer& timer) {
  if (!headers.has(HeaderId::kScheme)) headers.add(":scheme", "http");
  headers.set("x-envoy-internal", "true");
  const auto longest = std::chrono::ceil<std::chrono::milliseconds>(timeout);
  if (longest.count() <= 0) return;
  headers.set("x-envoy-expected-rq-timeout-ms", std::to_string(longest.count()));
  timer.arm(longest);
}

std::string HttpCalls::charge(WorkerCluster& cluster, uint32_t status, int64_t started) const {
  const int64_t milliseconds = (loop_.now() - started) / 1'000'000;
  cluster.stats().charge_response(status);
  cluster.stats().record_time(static_cast<uint64_t>(milliseconds));
  return std::to_string(milliseconds);
}

Result<HttpCalls::Route> HttpCalls::choose(const std::string& name) {
  WorkerCluster* cluster = clusters_.find(name);
  if (cluster == nullptr) return Error{ErrorCode::kNotFound, "no cluster is named '" + name + "'", ""};
  ConnectionPool* host = cluster->choose_host();
  if (host == nullptr) return Error{ErrorCode::kUnavailable, "cluster '" + name + "' has no healthy host", ""};
  return Route{*cluster, *host};
}

Result<uint64_t> HttpCalls::start_http_call(host::HttpCallRequest request, host::HttpCallHandler& handler) {
  INLAY_TRY(const Route route, choose(request.cluster));
  const uint64_t id = next_id_++;
  auto call = std::make_unique<Call>(*this, id, route.cluster, std::move(request), handler);
  Call& started = *call;
  calls_.emplace(id, std::move(call));
  started.start(route.host);
  return id;
}

void HttpCalls::tell(const WorkerCluster& cluster, std::string_view detail) {
  if (detail.empty()) return;
  const auto [next, first] = tell_again_.try_emplace(&cluster, 0);
  if (!first && loop_.now() < next->second) return;
  next->second = loop_.now() + kTellEvery;
  clusters_.registry().warn(cluster.config(), "a guest's call got no connection: " + std::string(detail));
}

void HttpCalls::cancel_http_call(uint64_t call_id) {
  calls_.erase(call_id);
}

void HttpCalls::finish(uint64_t id, host::HttpCallResponse response) {
  const auto it = calls_.find(id);
  if (it == calls_.end()) return;
  auto node = calls_.extract(it);
  Call& call = *node.mapped();
  loop_.delete_later(std::move(node.mapped()));  // one of its functions is on the stack
  call.handler().on_http_call_response(id, std::move(response));
}

}  // namespace inlay::upstream
