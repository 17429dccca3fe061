// SPDX-License-Identifier: Apache-2.0
#pragma once

// CorsFilter: tells browsers which scripts of other origins may read a response, and answers their preflight requests,
// as Envoy's envoy.filters.http.cors (1.40) does by the policies of the request's route. Without a policy of the route,
// or without an `origin` in the request, it does nothing. A policy keeps nobody out: a request of an origin that is not
// allowed passes, and the browser keeps its answer from the script.

#include <memory>
#include <string>
#include <string_view>

#include "proxy/downstream/filter.h"
#include "proxy/router/route_table.h"
#include "stats/metrics.h"

namespace inlay::proxy::http_filters {

class CorsFilter final : public downstream::StreamFilter {
 public:
  struct Options {
    std::string name;  // in http_filters
    std::shared_ptr<const router::RouteTable> routes;
    bool disabled = false;          // but where a route turns it on
    stats::Counter origin_valid{};  // http.<stat_prefix>.cors.*
    stats::Counter origin_invalid{};
  };
  explicit CorsFilter(const Options& options) : options_(options) {}

  bool start(downstream::FilterCallbacks& callbacks) override;
  downstream::HeadersStatus decode_headers(http::HeaderMap& headers, bool end_stream) override;
  downstream::HeadersStatus encode_headers(http::HeaderMap& headers, bool end_stream) override;
  void on_destroy() override { callbacks_ = nullptr; }

 private:
  void answer_preflight(const http::HeaderMap& request, bool allowed);

  const Options& options_;
  downstream::FilterCallbacks* callbacks_ = nullptr;
  const router::CorsPolicies* policies_ = nullptr;  // of the request's route
  std::string origin_;                              // that is allowed; empty: none
};

class CorsFilterFactory final : public downstream::FilterFactory {
 public:
  // `manager`: whose filter it is.
  CorsFilterFactory(CorsFilter::Options options, stats::MetricStore& metrics,
                    const config::HttpConnectionManager& manager);
  std::unique_ptr<downstream::StreamFilter> create() override { return std::make_unique<CorsFilter>(options_); }
  std::string_view name() const override { return options_.name; }

 private:
  CorsFilter::Options options_;
};

}  // namespace inlay::proxy::http_filters
