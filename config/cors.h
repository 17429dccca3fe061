// SPDX-License-Identifier: Apache-2.0
#pragma once

// What scripts of other origins may do (CORS): extensions/filters/http/cors/v3 CorsPolicy, and the field `cors` of
// virtual hosts and routes that was before it. Plain values; part of the model (model.h).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/string_matcher.h"

namespace inlay::config {

// type/v3 FractionalPercent.
struct Fraction {
  uint32_t numerator = 100;
  uint32_t denominator = 100;
};

// Of several policies of a request the most specific one that says something about a field counts for that field, but
// `enabled` and `shadow` are of the most specific one.
struct CorsPolicy {
  std::vector<StringMatcher> allow_origins;
  std::string allow_methods;
  std::string allow_headers;
  std::string expose_headers;
  std::string max_age;
  std::optional<bool> allow_credentials;
  std::optional<bool> allow_private_network_access;
  std::optional<bool> forward_not_matching_preflights;
  Fraction enabled;         // of requests
  Fraction shadow{0, 100};  // of those that are not enabled: they are counted
};

// typed_per_filter_config with a CorsPolicy.
struct NamedCorsPolicy {
  std::string filter;  // its `name`
  CorsPolicy policy;
};

}  // namespace inlay::config
