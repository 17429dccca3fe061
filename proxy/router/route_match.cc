// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/route_match.h"

#include <re2/re2.h>

#include <algorithm>

#include "base/ascii.h"
#include "http/grpc.h"

namespace inlay::proxy::router {

using http::HeaderId;
using Kind = config::RouteMatch::Kind;

Result<RouteMatcher> RouteMatcher::compile(const config::RouteMatch& config) {
  RouteMatcher out;
  out.config_ = &config;
  if (config.kind == Kind::kSafeRegex) {
    INLAY_TRY(out.regex_, match::compile_regex(config.value));
  }
  for (const auto& matcher : config.headers) {
    INLAY_TRY(auto compiled, match::HeaderMatcher::compile(matcher));
    out.headers_.push_back(std::move(compiled));
  }
  for (const auto& matcher : config.query_parameters) {
    INLAY_TRY(auto compiled, match::QueryParameterMatcher::compile(matcher));
    out.query_parameters_.push_back(std::move(compiled));
  }
  return out;
}

bool RouteMatcher::path_matches(std::string_view path) const {
  const std::string_view value = config_->value;
  const bool exact_case = config_->case_sensitive;
  const auto starts = [&] {
    return exact_case ? path.starts_with(value) : match::starts_with_ignore_case(path, value);
  };
  switch (config_->kind) {
    case Kind::kPrefix:
      return starts();
    case Kind::kPath:
      return exact_case ? path == value : equals_ignore_case(path, value);
    case Kind::kPathSeparatedPrefix:
      return starts() && (path.size() == value.size() || path[value.size()] == '/');
    case Kind::kConnect:
      return false;
    case Kind::kSafeRegex:
      return re2::RE2::FullMatch(re2::StringPiece(path.data(), path.size()), *regex_);
  }
  return false;
}

bool RouteMatcher::matches(std::string_view path, std::string_view query, const http::HeaderMap& request) const {
  // CONNECT has no path, so that no other match than its own takes it; with a path it is no CONNECT, but a filter's
  // idea.
  const bool connect = path.empty() && request.value(HeaderId::kMethod) == "CONNECT";
  if (connect != (config_->kind == Kind::kConnect) || (!connect && !path_matches(path))) return false;
  if (config_->grpc_only && !http::is_grpc(request)) return false;
  return std::all_of(headers_.begin(), headers_.end(),
                     [&](const match::HeaderMatcher& m) { return m.matches(request); }) &&
         std::all_of(query_parameters_.begin(), query_parameters_.end(),
                     [&](const match::QueryParameterMatcher& m) { return m.matches(query); });
}

bool RouteMatcher::matches(const http::HeaderMap& request) const {
  const std::string_view whole = request.value(HeaderId::kPath);
  const size_t question = whole.find('?');
  const bool has_query = question != std::string_view::npos;
  return matches(whole.substr(0, question), has_query ? whole.substr(question + 1) : std::string_view(), request);
}

}  // namespace inlay::proxy::router
