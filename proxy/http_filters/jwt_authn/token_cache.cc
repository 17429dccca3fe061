// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/jwt_authn/token_cache.h"

namespace inlay::proxy::http_filters::jwt_authn {

std::shared_ptr<const jwt::Token> TokenCache::find(const std::string& text, uint64_t now) {
  constexpr uint64_t kSkew = 60;  // Envoy's, whatever the provider's is
  const auto found = by_text_.find(text);
  if (found == by_text_.end()) return nullptr;
  const Entries::iterator entry = found->second;
  if (entry->token->check_time(now, kSkew) == jwt::Status::kExpired) {
    by_text_.erase(found);
    tokens_.erase(entry);
    return nullptr;
  }
  tokens_.splice(tokens_.begin(), tokens_, entry);
  return entry->token;
}

void TokenCache::add(const std::string& text, std::shared_ptr<const jwt::Token> token) {
  if (text.size() > limits_.max_token_size || by_text_.contains(text)) return;
  if (tokens_.size() >= limits_.size) {
    by_text_.erase(tokens_.back().text);
    tokens_.pop_back();
  }
  tokens_.push_front({text, std::move(token)});
  by_text_.emplace(tokens_.front().text, tokens_.begin());
}

void TokenCache::clear() {
  by_text_.clear();
  tokens_.clear();
}

}  // namespace inlay::proxy::http_filters::jwt_authn
