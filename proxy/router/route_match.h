// SPDX-License-Identifier: Apache-2.0
#pragma once

// RouteMatcher: a config::RouteMatch made ready to match. Immutable; any thread.

#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/model.h"
#include "http/header_map.h"
#include "match/string_matcher.h"

namespace inlay::proxy::router {

class RouteMatcher {
 public:
  // `config` outlives it. Errors: kInvalidArgument, of a regular expression.
  static Result<RouteMatcher> compile(const config::RouteMatch& config);

  // `path` and `query` are the request's :path, split at the "?".
  bool matches(std::string_view path, std::string_view query, const http::HeaderMap& request) const;
  // The same of the request's own path.
  bool matches(const http::HeaderMap& request) const;

 private:
  bool path_matches(std::string_view path) const;

  const config::RouteMatch* config_ = nullptr;
  std::shared_ptr<const re2::RE2> regex_;
  std::vector<match::HeaderMatcher> headers_;
  std::vector<match::QueryParameterMatcher> query_parameters_;
};

}  // namespace inlay::proxy::router
