// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/jwt_authn/provider.h"

#include "jwt/audiences.h"

namespace inlay::proxy::http_filters::jwt_authn {

using jwt::Status;

// Keys that are fetched anew may be so because one is not to be trusted any longer: so the tokens are verified again.
Provider::Provider(net::EventLoop& loop, host::Upstreams& upstreams, const config::JwtProvider& config,
                   const KeySource::Stats& stats)
    : config_(config), keys_(loop, upstreams, config, stats, [this] {
        if (cache_) cache_->clear();
      }) {
  if (config.jwt_cache) cache_.emplace(*config.jwt_cache);
  if (config.subjects) {
    if (auto matcher = match::StringMatcher::compile(*config.subjects)) subjects_ = *std::move(matcher);
  }
}

Status Provider::check_claims(const jwt::Token& token, const std::vector<std::string>& audiences, uint64_t now) const {
  if (const Status status = token.check_time(now, config_.clock_skew_seconds); status != Status::kOk) return status;
  if (!jwt::is_audience_allowed(audiences.empty() ? config_.audiences : audiences, token.aud))
    return Status::kAudienceNotAllowed;
  if (config_.subjects && !(subjects_ && subjects_->matches(token.sub))) return Status::kVerificationFails;
  return lives_too_long(token, now) ? Status::kVerificationFails : Status::kOk;
}

bool Provider::lives_too_long(const jwt::Token& token, uint64_t now) const {
  if (!config_.max_lifetime) return config_.require_expiration && token.exp == 0;
  if (token.exp == 0) return true;
  if (token.exp <= now) return config_.max_lifetime->count() <= 0 && token.exp == now;
  using Seconds = std::chrono::duration<double>;
  return Seconds(static_cast<double>(token.exp - now)) >= Seconds(*config_.max_lifetime);
}

}  // namespace inlay::proxy::http_filters::jwt_authn
