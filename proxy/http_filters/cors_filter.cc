// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/cors_filter.h"

#include <utility>

namespace inlay::proxy::http_filters {
namespace {

using config::CorsPolicy;
using downstream::HeadersStatus;
using http::HeaderMap;

constexpr std::string_view kAllowOrigin = "access-control-allow-origin";
constexpr std::string_view kAllowCredentials = "access-control-allow-credentials";
constexpr uint32_t kOk = 200;

void add(host::LocalReply& reply, std::string_view name, std::string_view value) {
  if (!value.empty()) reply.headers.emplace_back(name, value);
}

// What the policy says, or of "*" what the client asks for.
std::string_view or_asked(std::string_view said, const HeaderMap& request, std::string_view asked) {
  return said == "*" ? request.get(asked).value_or("") : said;
}

}  // namespace

bool CorsFilter::start(downstream::FilterCallbacks& callbacks) {
  callbacks_ = &callbacks;
  policies_ = nullptr;
  origin_.clear();
  return true;
}

HeadersStatus CorsFilter::decode_headers(HeaderMap& headers, bool) {
  const auto origin = headers.get("origin");
  if (!origin || origin->empty()) return HeadersStatus::kContinue;
  const router::RouteEntry* route = options_.routes->match(headers);
  if (route == nullptr || route->route == nullptr) return HeadersStatus::kContinue;
  if (!route->filter_switch(options_.name).value_or(!options_.disabled)) return HeadersStatus::kContinue;
  const router::CorsPolicies& policies = route->cors_policies(options_.name);
  const bool enabled = policies.enabled();
  if (!enabled && !policies.shadow()) return HeadersStatus::kContinue;
  const bool allowed = policies.allows(*origin);
  (allowed ? options_.origin_valid : options_.origin_invalid).add();
  if (!enabled) return HeadersStatus::kContinue;
  policies_ = &policies;
  if (allowed) origin_ = *origin;
  const bool preflight = headers.value(http::HeaderId::kMethod) == "OPTIONS" &&
                         !headers.get("access-control-request-method").value_or("").empty();
  if (!preflight) return HeadersStatus::kContinue;
  if (!allowed && policies.flag(&CorsPolicy::forward_not_matching_preflights, true)) return HeadersStatus::kContinue;
  answer_preflight(headers, allowed);
  return HeadersStatus::kStopIteration;
}

void CorsFilter::answer_preflight(const HeaderMap& request, bool allowed) {
  host::LocalReply reply;
  reply.status = kOk;
  reply.details = "cors_response";
  if (allowed) add(reply, kAllowOrigin, origin_);
  if (policies_->flag(&CorsPolicy::allow_credentials, false)) add(reply, kAllowCredentials, "true");
  add(reply, "access-control-allow-methods",
      or_asked(policies_->text(&CorsPolicy::allow_methods), request, "access-control-request-method"));
  add(reply, "access-control-allow-headers",
      or_asked(policies_->text(&CorsPolicy::allow_headers), request, "access-control-request-headers"));
  add(reply, "access-control-max-age", policies_->text(&CorsPolicy::max_age));
  if (policies_->flag(&CorsPolicy::allow_private_network_access, false) &&
      request.get("access-control-request-private-network") == "true")
    add(reply, "access-control-allow-private-network", "true");
  callbacks_->send_local_reply(std::move(reply));
}

HeadersStatus CorsFilter::encode_headers(HeaderMap& headers, bool) {
  if (origin_.empty()) return HeadersStatus::kContinue;
  headers.set(kAllowOrigin, origin_);
  if (policies_->flag(&CorsPolicy::allow_credentials, false)) headers.set(kAllowCredentials, "true");
  if (const std::string_view exposed = policies_->text(&CorsPolicy::expose_headers); !exposed.empty())
    headers.set("access-control-expose-headers", exposed);
  return HeadersStatus::kContinue;
}

CorsFilterFactory::CorsFilterFactory(CorsFilter::Options options, stats::MetricStore& metrics,
                                     const config::HttpConnectionManager& manager)
    : options_(std::move(options)) {
  const std::string prefix = "http." + manager.stat_prefix + ".cors.";
  options_.origin_valid = stats::Counter(metrics.define(abi::MetricType::kCounter, prefix + "origin_valid"));
  options_.origin_invalid = stats::Counter(metrics.define(abi::MetricType::kCounter, prefix + "origin_invalid"));
}

}  // namespace inlay::proxy::http_filters
