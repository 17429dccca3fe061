// SPDX-License-Identifier: Apache-2.0
#pragma once

// JwtAuthnFilter: lets through those requests that have the JSON Web Tokens that its rules, or the request's route,
// require, as Envoy's envoy.filters.http.jwt_authn (1.40) does; answers the others; and tells what is behind it who
// they come from, in headers and in dynamic metadata. Nothing of a token is logged.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/jwt_authn.h"
#include "host/embedder.h"
#include "proxy/downstream/filter.h"
#include "proxy/http_filters/jwt_authn/evaluation.h"
#include "proxy/http_filters/jwt_authn/requirement.h"
#include "proxy/router/route_table.h"
#include "stats/metrics.h"

namespace inlay::proxy::http_filters::jwt_authn {

// Where dynamic metadata has what the filter has found out.
constexpr std::string_view kMetadataName = "envoy.filters.http.jwt_authn";

class JwtAuthnFilter final : public downstream::StreamFilter {
 public:
  struct Rule {
    router::RouteMatcher match;
    std::optional<Requirement> requirement;  // nullopt: all pass
  };
  // What all streams of a worker share.
  struct Options {
    std::string name;  // in http_filters
    std::shared_ptr<const router::RouteTable> routes;
    bool disabled = false;  // but where a route turns it on
    std::shared_ptr<const config::JwtAuthentication> settings;
    World world;
    std::vector<Rule> rules;
    std::vector<std::pair<std::string, Requirement>> named;
    std::vector<std::string> made_headers;  // by which nobody else may say who a request comes from
    stats::Counter allowed{};
    stats::Counter denied{};
    stats::Counter preflight_bypassed{};
  };
  explicit JwtAuthnFilter(Options& options) : options_(options) {}

  bool start(downstream::FilterCallbacks& callbacks) override;
  downstream::HeadersStatus decode_headers(http::HeaderMap& headers, bool end_stream) override;
  downstream::DataStatus decode_data(Buffer& data, bool end_stream) override;
  downstream::TrailersStatus decode_trailers(http::HeaderMap& trailers) override;
  void on_destroy() override;

 private:
  enum class State : uint8_t { kCalling, kAllowed, kAnswered };

  // The requirement of a request; nullptr: all pass. nullopt: the route names one that there is not.
  std::optional<const Requirement*> choose(const router::RouteEntry* route, const http::HeaderMap& headers) const;
  void on_evaluated(jwt::Status status);
  void allow();
  void deny(jwt::Status status);
  void refuse_route(const std::string& requirement);
  void store_metadata();

  Options& options_;
  downstream::FilterCallbacks* callbacks_ = nullptr;
  State state_ = State::kCalling;
  bool stopped_ = false;
  std::string uri_;  // of the request as it came, for the answer
  Request request_;
  std::unique_ptr<Evaluation> evaluation_;
};

class JwtAuthnFilterFactory final : public downstream::FilterFactory {
 public:
  struct Parts {
    std::string name;
    std::shared_ptr<const router::RouteTable> routes;
    bool disabled = false;
    std::shared_ptr<const config::JwtAuthentication> settings;
  };
  // All outlive it. `stat_prefix`: the connection manager's.
  JwtAuthnFilterFactory(Parts parts, net::EventLoop& loop, host::Upstreams& upstreams, stats::MetricStore& metrics,
                        const std::string& stat_prefix);
  std::unique_ptr<downstream::StreamFilter> create() override { return std::make_unique<JwtAuthnFilter>(options_); }
  std::string_view name() const override { return options_.name; }

 private:
  JwtAuthnFilter::Options options_;
};

}  // namespace inlay::proxy::http_filters::jwt_authn
