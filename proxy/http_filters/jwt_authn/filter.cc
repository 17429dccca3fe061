// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/jwt_authn/filter.h"

#include <algorithm>

#include "proxy/http_filters/jwt_authn/metadata.h"

namespace inlay::proxy::http_filters::jwt_authn {
namespace {

using downstream::DataStatus;
using downstream::HeadersStatus;
using downstream::TrailersStatus;
using http::HeaderId;
using http::HeaderMap;
using jwt::Status;

constexpr uint32_t kUnauthorized = 401;
constexpr uint32_t kForbidden = 403;
constexpr size_t kLongestPath = 256;  // in an answer
constexpr int64_t kNanoseconds = 1'000'000'000;

bool is_preflight(const HeaderMap& request) {
  const auto has = [&](std::string_view name) { return !request.get(name).value_or("").empty(); };
  return request.value(HeaderId::kMethod) == "OPTIONS" && has("origin") && has("access-control-request-method");
}

std::string original_uri(const HeaderMap& request) {
  const auto before = request.get(HeaderId::kXEnvoyOriginalPath);
  const std::string_view path = before ? *before : request.value(HeaderId::kPath);
  std::string out(request.value(HeaderId::kXForwardedProto));
  out.append("://").append(request.value(HeaderId::kAuthority)).append(path.substr(0, kLongestPath));
  return out;
}

std::string details_of(std::string_view why) {
  std::string out = "jwt_authn_access_denied{" + std::string(why) + "}";
  std::replace(out.begin(), out.end(), ' ', '_');
  return out;
}

}  // namespace

bool JwtAuthnFilter::start(downstream::FilterCallbacks& callbacks) {
  callbacks_ = &callbacks;
  state_ = State::kCalling;
  stopped_ = false;
  uri_.clear();
  request_ = {};
  return true;
}

std::optional<const Requirement*> JwtAuthnFilter::choose(const router::RouteEntry* route,
                                                         const HeaderMap& headers) const {
  const auto* setting = route != nullptr ? route->jwt_setting(options_.name) : nullptr;
  if (setting != nullptr) {
    if (setting->disabled) return nullptr;
    for (const auto& [name, requirement] : options_.named)
      if (name == setting->requirement) return &requirement;
    return std::nullopt;
  }
  for (const Rule& rule : options_.rules)
    if (rule.match.matches(headers)) return rule.requirement ? &*rule.requirement : nullptr;
  return nullptr;
}

HeadersStatus JwtAuthnFilter::decode_headers(HeaderMap& headers, bool) {
  // What is changed here is of no matter for the route, in Envoy, but with clear_route_cache.
  downstream::StreamInfo& info = callbacks_->info();
  if (!info.kept_route) info.kept_route = options_.routes->match(headers);
  const router::RouteEntry* route = *info.kept_route;
  const auto switched = route != nullptr ? route->filter_switch(options_.name) : std::nullopt;
  if (!switched.value_or(!options_.disabled)) {
    state_ = State::kAllowed;
    return HeadersStatus::kContinue;
  }
  for (const std::string& name : options_.made_headers) headers.remove(name);
  if (options_.settings->bypass_cors_preflight && is_preflight(headers)) {
    options_.preflight_bypassed.add();
    allow();
    return HeadersStatus::kContinue;
  }
  const auto requirement = choose(route, headers);
  if (!requirement) {
    refuse_route(route->jwt_setting(options_.name)->requirement);
    return HeadersStatus::kStopIteration;
  }
  if (*requirement == nullptr) {
    allow();
    return HeadersStatus::kContinue;
  }
  uri_ = original_uri(headers);
  request_.headers = &headers;
  request_.now = static_cast<uint64_t>(std::max<int64_t>(info.start_system, 0) / kNanoseconds);
  evaluation_ = std::make_unique<Evaluation>(**requirement, options_.world, request_,
                                             [this](Status status) { on_evaluated(status); });
  evaluation_->start();
  if (state_ == State::kAllowed) return HeadersStatus::kContinue;
  stopped_ = true;
  return HeadersStatus::kStopIteration;
}

DataStatus JwtAuthnFilter::decode_data(Buffer&, bool) {
  return state_ == State::kCalling ? DataStatus::kStopIterationAndBuffer : DataStatus::kContinue;
}

TrailersStatus JwtAuthnFilter::decode_trailers(HeaderMap&) {
  return state_ == State::kCalling ? TrailersStatus::kStopIteration : TrailersStatus::kContinue;
}

void JwtAuthnFilter::on_destroy() {
  if (evaluation_) {
    evaluation_->cancel();
    callbacks_->loop().delete_later(std::move(evaluation_));  // one of its functions may be on the stack
  }
  callbacks_ = nullptr;
}

void JwtAuthnFilter::on_evaluated(Status status) {
  store_metadata();
  status == Status::kOk ? allow() : deny(status);
}

void JwtAuthnFilter::store_metadata() {
  downstream::StreamInfo& info = callbacks_->info();
  if (!request_.metadata.empty()) add_metadata(info.dynamic_metadata, kMetadataName, request_.metadata);
  if (!request_.clear_route) return;
  const auto kept = std::exchange(info.kept_route, std::nullopt);
  if (!info.early_route) info.early_route = kept.value_or(nullptr);
}

void JwtAuthnFilter::allow() {
  options_.allowed.add();
  state_ = State::kAllowed;
  if (stopped_) callbacks_->continue_decoding();
}

void JwtAuthnFilter::deny(Status status) {
  options_.denied.add();
  state_ = State::kAnswered;
  host::LocalReply reply;
  reply.status = status == Status::kAudienceNotAllowed ? kForbidden : kUnauthorized;
  reply.details = details_of(jwt::text(status));
  if (!options_.settings->strip_failure_response) {
    reply.body = jwt::text(status);
    std::string challenge = "Bearer realm=\"" + uri_ + "\"";
    if (status != Status::kMissing) challenge += ", error=\"invalid_token\"";
    reply.headers.emplace_back("www-authenticate", std::move(challenge));
  }
  callbacks_->send_local_reply(std::move(reply));
}

void JwtAuthnFilter::refuse_route(const std::string& requirement) {
  std::vector<std::string> names;
  for (const auto& entry : options_.named) names.push_back(entry.first);
  std::sort(names.begin(), names.end());
  std::string why = "Wrong requirement_name: " + requirement + ". It should be one of [";
  for (const std::string& name : names) why.append(name == names.front() ? "" : ",").append(name);
  why += ']';
  options_.denied.add();
  state_ = State::kAnswered;
  host::LocalReply reply;
  reply.status = kForbidden;
  reply.details = details_of(why);
  if (!options_.settings->strip_failure_response) reply.body = "Failed JWT authentication: " + why;
  callbacks_->send_local_reply(std::move(reply));
}

JwtAuthnFilterFactory::JwtAuthnFilterFactory(Parts parts, net::EventLoop& loop, host::Upstreams& upstreams,
                                             stats::MetricStore& metrics, const std::string& stat_prefix) {
  options_.name = std::move(parts.name);
  options_.routes = std::move(parts.routes);
  options_.disabled = parts.disabled;
  options_.settings = std::move(parts.settings);
  const config::JwtAuthentication& settings = *options_.settings;
  std::string prefix = "http." + stat_prefix + ".jwt_authn.";
  if (!settings.stat_prefix.empty()) prefix += settings.stat_prefix + ".";
  const auto counter = [&](std::string_view name) {
    return stats::Counter(metrics.define(abi::MetricType::kCounter, prefix + std::string(name)));
  };
  options_.allowed = counter("allowed");
  options_.denied = counter("denied");
  options_.preflight_bypassed = counter("cors_preflight_bypassed");
  options_.world.cache_hit = counter("jwt_cache_hit");
  options_.world.cache_miss = counter("jwt_cache_miss");
  const KeySource::Stats stats{counter("jwks_fetch_success"), counter("jwks_fetch_failed")};
  for (const config::JwtProvider& provider : settings.providers) {
    options_.world.providers.push_back(std::make_unique<Provider>(loop, upstreams, provider, stats));
    if (!provider.forward_payload_header.empty()) options_.made_headers.push_back(provider.forward_payload_header);
    for (const auto& claim : provider.claim_to_headers) options_.made_headers.push_back(claim.header);
  }
  for (const auto& [name, requirement] : settings.requirement_map)
    options_.named.emplace_back(name, Requirement(requirement, options_.world.providers));
  for (const config::JwtRule& rule : settings.rules) {
    auto match = router::RouteMatcher::compile(rule.match);
    if (!match) continue;  // never: the loader has checked it
    JwtAuthnFilter::Rule& made = options_.rules.emplace_back();
    made.match = *std::move(match);
    if (rule.requirement) made.requirement.emplace(*rule.requirement, options_.world.providers);
  }
}

}  // namespace inlay::proxy::http_filters::jwt_authn
