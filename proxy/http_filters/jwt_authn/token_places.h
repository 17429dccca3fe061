// SPDX-License-Identifier: Apache-2.0
#pragma once

// TokenPlaces: where in a request the tokens of some providers are. Immutable; any thread.

#include <string>
#include <string_view>
#include <vector>

#include "config/jwt_authn.h"
#include "http/header_map.h"

namespace inlay::proxy::http_filters::jwt_authn {

// One place, and the issuers of those providers that look there.
struct TokenPlace {
  enum class Kind : uint8_t { kHeader, kParameter, kCookie } kind = Kind::kHeader;
  std::string name;
  std::string prefix;  // kHeader: what stands before the token
  std::vector<std::string> issuers;
  bool any_issuer = false;

  bool allows(std::string_view issuer) const;
  // Takes the token out of the request; out of a cookie never, as in Envoy.
  void remove_token(http::HeaderMap& request) const;
};

struct FoundToken {
  std::string text;
  const TokenPlace* place = nullptr;
};

class TokenPlaces {
 public:
  explicit TokenPlaces(const std::vector<const config::JwtProvider*>& providers);
  // The tokens in the order of headers, parameters and cookies, each of these by their names.
  std::vector<FoundToken> find(const http::HeaderMap& request) const;

 private:
  void add(TokenPlace::Kind kind, const std::string& name, const std::string& prefix, const std::string& issuer);

  std::vector<TokenPlace> places_;
};

}  // namespace inlay::proxy::http_filters::jwt_authn
