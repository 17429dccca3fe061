// SPDX-License-Identifier: Apache-2.0
#include "proxy/router/cors_policies.h"

#include <algorithm>
#include <random>

namespace inlay::proxy::router {
namespace {

bool drawn(const config::Fraction& fraction) {
  if (fraction.numerator >= fraction.denominator) return true;
  if (fraction.numerator == 0) return false;
  thread_local std::minstd_rand dice(std::random_device{}());
  return std::uniform_int_distribution<uint32_t>(0, fraction.denominator - 1)(dice) < fraction.numerator;
}

}  // namespace

Result<CorsPolicies> CorsPolicies::compile(std::vector<const config::CorsPolicy*> policies) {
  CorsPolicies out;
  out.policies_ = std::move(policies);
  for (const config::CorsPolicy* policy : out.policies_) {
    for (const config::StringMatcher& origin : policy->allow_origins) {
      INLAY_TRY(auto compiled, match::StringMatcher::compile(origin));
      out.origins_.push_back(std::move(compiled));
    }
    if (!out.origins_.empty()) break;
  }
  return out;
}

bool CorsPolicies::enabled() const {
  return !policies_.empty() && drawn(policies_.front()->enabled);
}

bool CorsPolicies::shadow() const {
  return !policies_.empty() && drawn(policies_.front()->shadow);
}

// A matcher that fits "*" allows every origin, as in Envoy.
bool CorsPolicies::allows(std::string_view origin) const {
  return std::any_of(origins_.begin(), origins_.end(), [&](const match::StringMatcher& matcher) {
    return matcher.matches("*") || matcher.matches(origin);
  });
}

std::string_view CorsPolicies::text(std::string config::CorsPolicy::*field) const {
  for (const config::CorsPolicy* policy : policies_)
    if (!(policy->*field).empty()) return policy->*field;
  return {};
}

bool CorsPolicies::flag(std::optional<bool> config::CorsPolicy::*field, bool otherwise) const {
  for (const config::CorsPolicy* policy : policies_)
    if (policy->*field) return *(policy->*field);
  return otherwise;
}

}  // namespace inlay::proxy::router
