// SPDX-License-Identifier: Apache-2.0
#include "proxy/http_filters/jwt_authn/token_places.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "proxy/http_filters/jwt_authn/query.h"

namespace inlay::proxy::http_filters::jwt_authn {
namespace {

using Kind = TokenPlace::Kind;
using http::HeaderId;
using http::HeaderMap;

constexpr std::string_view kOfTokens = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// What follows the prefix, wherever that is; nullopt: it is nowhere.
std::optional<std::string_view> behind(std::string_view value, std::string_view prefix) {
  if (prefix.empty()) return value;
  const size_t at = value.find(prefix);
  if (at == std::string_view::npos) return std::nullopt;
  const size_t begin = value.find_first_of(kOfTokens, at + prefix.size());
  return begin == std::string_view::npos ? value : value.substr(begin);
}

std::optional<std::string_view> cookie(const HeaderMap& request, std::string_view name) {
  for (const HeaderMap::Entry& entry : request) {
    if (entry.name != "cookie") continue;
    std::string_view rest = entry.value;
    while (!rest.empty()) {
      const std::string_view pair = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
      const size_t equals = pair.find('=');
      if (equals == std::string_view::npos || trimmed(pair.substr(0, equals)) != name) continue;
      std::string_view value = trimmed(pair.substr(equals + 1));
      const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
      return quoted ? value.substr(1, value.size() - 2) : value;
    }
  }
  return std::nullopt;
}

}  // namespace

bool TokenPlace::allows(std::string_view issuer) const {
  return any_issuer || std::find(issuers.begin(), issuers.end(), issuer) != issuers.end();
}

void TokenPlace::remove_token(HeaderMap& request) const {
  if (kind == Kind::kHeader) request.remove(name);
  if (kind == Kind::kParameter) request.set(HeaderId::kPath, without_parameter(request.value(HeaderId::kPath), name));
}

TokenPlaces::TokenPlaces(const std::vector<const config::JwtProvider*>& providers) {
  for (const config::JwtProvider* provider : providers) {
    for (const auto& header : provider->from_headers)
      add(Kind::kHeader, header.name, header.value_prefix, provider->issuer);
    for (const std::string& name : provider->from_params) add(Kind::kParameter, name, "", provider->issuer);
    for (const std::string& name : provider->from_cookies) add(Kind::kCookie, name, "", provider->issuer);
  }
  std::sort(places_.begin(), places_.end(), [](const TokenPlace& a, const TokenPlace& b) {
    return std::tuple(a.kind, a.name + a.prefix) < std::tuple(b.kind, b.name + b.prefix);
  });
}

void TokenPlaces::add(Kind kind, const std::string& name, const std::string& prefix, const std::string& issuer) {
  auto at = std::find_if(places_.begin(), places_.end(), [&](const TokenPlace& place) {
    return place.kind == kind && place.name == name && place.prefix == prefix;
  });
  if (at == places_.end()) at = places_.insert(at, {kind, name, prefix, {}, false});
  if (issuer.empty())
    at->any_issuer = true;
  else
    at->issuers.push_back(issuer);
}

std::vector<FoundToken> TokenPlaces::find(const HeaderMap& request) const {
  std::vector<FoundToken> out;
  for (const TokenPlace& place : places_) {
    switch (place.kind) {
      case Kind::kHeader:
        for (const HeaderMap::Entry& entry : request) {
          if (entry.name != place.name) continue;
          if (const auto token = behind(entry.value, place.prefix)) out.push_back({std::string(*token), &place});
        }
        break;
      case Kind::kParameter:
        if (auto token = query_parameter(request.value(HeaderId::kPath), place.name))
          out.push_back({*std::move(token), &place});
        break;
      case Kind::kCookie:
        if (const auto token = cookie(request, place.name)) out.push_back({std::string(*token), &place});
        break;
    }
  }
  return out;
}

}  // namespace inlay::proxy::http_filters::jwt_authn
