// SPDX-License-Identifier: Apache-2.0
#pragma once

// Provider: one of the filter's `providers` on one worker. Loop thread only.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/jwt_authn.h"
#include "match/string_matcher.h"
#include "proxy/http_filters/jwt_authn/key_source.h"
#include "proxy/http_filters/jwt_authn/token_cache.h"

namespace inlay::proxy::http_filters::jwt_authn {

class Provider {
 public:
  // All outlive it.
  Provider(net::EventLoop& loop, host::Upstreams& upstreams, const config::JwtProvider& config,
           const KeySource::Stats& stats);
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;

  // All that is to be checked of a token but its issuer and its signature. `audiences`: in the place of the provider's,
  // unless it is empty. `now`: seconds since 1970.
  jwt::Status check_claims(const jwt::Token& token, const std::vector<std::string>& audiences, uint64_t now) const;

  const config::JwtProvider& config() const { return config_; }
  KeySource& keys() { return keys_; }
  TokenCache* cache() { return cache_ ? &*cache_ : nullptr; }

 private:
  bool lives_too_long(const jwt::Token& token, uint64_t now) const;

  const config::JwtProvider& config_;
  std::optional<match::StringMatcher> subjects_;
  std::optional<TokenCache> cache_;
  KeySource keys_;
};

}  // namespace inlay::proxy::http_filters::jwt_authn
