// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who a request says it comes from, by JSON Web Tokens: extensions/filters/http/jwt_authn/v3. Plain values; part of the
// model (model.h). Names of fields are Envoy's.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/model.h"
#include "config/string_matcher.h"
#include "jwt/key_set.h"

namespace inlay::config {

// Keys are fetched at the start, and again before they expire.
struct JwksAsyncFetch {
  bool fast_listener = false;
  Milliseconds failed_refetch_duration{1'000};
};

// RemoteJwks. Its timeout is for a fetch with all its tries, of which one lasts as long as `back_off_max` at the most
// where there is a retry_policy, as in Envoy.
struct RemoteKeys : RemoteSource {
  bool has_retry_policy = false;  // without one num_retries is 0
  Milliseconds cache_duration{600'000};
  std::optional<JwksAsyncFetch> async;
};

// Tokens whose signature was good are kept.
struct JwtCacheConfig {
  uint32_t size = 100;             // tokens
  uint32_t max_token_size = 4096;  // bytes
};

// JwtProvider.
struct JwtProvider {
  std::string name;    // in `providers`
  std::string issuer;  // empty: any
  std::vector<std::string> audiences;
  std::optional<StringMatcher> subjects;
  bool require_expiration = false;
  std::optional<std::chrono::nanoseconds> max_lifetime;
  // One of the two, or none: local_jwks without a text.
  std::shared_ptr<const jwt::KeySet> local_jwks;
  std::optional<RemoteKeys> remote_jwks;
  bool forward = false;
  // Where tokens are; without any of the three the default places are in there.
  struct Header {
    std::string name;  // lower-case
    std::string value_prefix;
  };
  std::vector<Header> from_headers;
  std::vector<std::string> from_params;
  std::vector<std::string> from_cookies;
  std::string forward_payload_header;  // lower-case; empty: none
  bool pad_forward_payload_header = false;
  std::string payload_in_metadata;
  std::vector<std::string> space_delimited_claims;  // normalize_payload_in_metadata
  std::string header_in_metadata;
  std::string failed_status_in_metadata;
  uint32_t clock_skew_seconds = 60;
  std::optional<JwtCacheConfig> jwt_cache;
  struct ClaimHeader {
    std::string header;             // lower-case
    std::vector<std::string> path;  // of members, from the payload on
  };
  std::vector<ClaimHeader> claim_to_headers;
  bool clear_route_cache = false;
};

// JwtRequirement.
struct JwtRequirement {
  enum class Kind : uint8_t {
    kNone,  // all pass
    kProvider,
    kAny,
    kAll,
    kAllowMissing,
    kAllowMissingOrFailed
  } kind = Kind::kNone;
  std::string provider;                      // kProvider: one of `providers`
  std::vector<std::string> audiences;        // kProvider: in the place of the provider's, unless there are none
  std::vector<JwtRequirement> requirements;  // kAny, kAll: two at least
};

// RequirementRule.
struct JwtRule {
  RouteMatch match;
  std::optional<JwtRequirement> requirement;  // nullopt: all pass
};

struct JwtAuthentication {
  std::vector<JwtProvider> providers;
  std::vector<JwtRule> rules;
  std::vector<std::pair<std::string, JwtRequirement>> requirement_map;  // by their names
  bool bypass_cors_preflight = false;
  bool strip_failure_response = false;
  std::string stat_prefix;
};

}  // namespace inlay::config
