// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/make_filter.h"

#include <utility>
#include <variant>

#include "proxy/http_filters/cors_filter.h"
#include "proxy/http_filters/grpc_web_filter.h"
#include "proxy/http_filters/jwt_authn/filter.h"

namespace inlay::proxy::http_filters {

std::unique_ptr<downstream::FilterFactory> make_filter(const config::HttpFilter& filter,
                                                       std::shared_ptr<const router::RouteTable> routes,
                                                       const FilterSurroundings& around) {
  if (std::holds_alternative<config::CorsFilter>(filter.config)) {
    return std::make_unique<CorsFilterFactory>(
        CorsFilter::Options{.name = filter.name, .routes = std::move(routes), .disabled = filter.disabled},
        around.metrics, around.manager);
  }
  if (std::holds_alternative<config::GrpcWebFilter>(filter.config)) {
    return std::make_unique<GrpcWebFilterFactory>(
        GrpcWebFilter::Options{.name = filter.name, .routes = std::move(routes), .disabled = filter.disabled});
  }
  if (const auto* jwt = std::get_if<config::JwtAuthnFilter>(&filter.config)) {
    return std::make_unique<jwt_authn::JwtAuthnFilterFactory>(
        jwt_authn::JwtAuthnFilterFactory::Parts{filter.name, std::move(routes), filter.disabled, jwt->settings},
        around.loop, around.upstreams, around.metrics, around.manager.stat_prefix);
  }
  return nullptr;
}

}  // namespace inlay::proxy::http_filters
