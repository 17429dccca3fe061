// SPDX-License-Identifier: Apache-2.0
#pragma once

// CorsPolicies: what a route, and what is around it, say of CORS to one filter. Immutable, shared by all workers.

#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/cors.h"
#include "match/string_matcher.h"

namespace inlay::proxy::router {

class CorsPolicies {
 public:
  // `policies`, the most specific first, outlive it. Errors: kInvalidArgument, of a regular expression.
  static Result<CorsPolicies> compile(std::vector<const config::CorsPolicy*> policies);

  // No policy at all.
  bool empty() const { return policies_.empty(); }
  // Whether this request is one of those that the policies concern, or that they count at least. Draws lots.
  bool enabled() const;
  bool shadow() const;
  bool allows(std::string_view origin) const;
  // The first that is not empty.
  std::string_view text(std::string config::CorsPolicy::*field) const;
  // The first that is set.
  bool flag(std::optional<bool> config::CorsPolicy::*field, bool otherwise) const;

 private:
  std::vector<const config::CorsPolicy*> policies_;
  std::vector<match::StringMatcher> origins_;  // of the first that has some
};

}  // namespace inlay::proxy::router
