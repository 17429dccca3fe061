// SPDX-License-Identifier: Apache-2.0
#pragma once

// TokenCache: tokens that a provider's keys have verified, so that a client's next request with one costs no signature.
// The one that was not used for longest makes room. One worker's.

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "config/jwt_authn.h"
#include "jwt/token.h"

namespace inlay::proxy::http_filters::jwt_authn {

class TokenCache {
 public:
  explicit TokenCache(const config::JwtCacheConfig& limits) : limits_(limits) {}

  // Null: it is not there, or has expired (`now`: seconds since 1970).
  std::shared_ptr<const jwt::Token> find(const std::string& text, uint64_t now);
  // Nothing happens for one that is larger than the limit.
  void add(const std::string& text, std::shared_ptr<const jwt::Token> token);
  void clear();
  size_t size() const { return tokens_.size(); }

 private:
  struct Entry {
    std::string text;
    std::shared_ptr<const jwt::Token> token;
  };
  using Entries = std::list<Entry>;

  const config::JwtCacheConfig limits_;
  Entries tokens_;                                                   // the one used last comes first
  std::unordered_map<std::string_view, Entries::iterator> by_text_;  // of the entries' own texts
};

}  // namespace inlay::proxy::http_filters::jwt_authn
