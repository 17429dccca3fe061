// SPDX-License-Identifier: Apache-2.0
// The keys of objects that header_augmenting_lean.wasm lacks.
#include <cstddef>

#include "filters/header_augmenting/config.h"
#include "filters/header_augmenting/config_schema.h"

namespace inlay::header_augmenting {
namespace {

constexpr uint8_t kRequired = Field::kRequired;
constexpr uint8_t kRefers = Field::kRefers;

constexpr Field kSigningFields[] = {
    {"key", Kind::kText, offsetof(OAuth2::Signing, key), {}, kRequired | kRefers},
    {"alg", Kind::kName, offsetof(OAuth2::Signing, alg), {}, kRequired},
    {"kid", Kind::kLine, offsetof(OAuth2::Signing, kid), {}, kRefers},
    {"audience", Kind::kLine, offsetof(OAuth2::Signing, audience), {}, kRequired | kRefers},
    {"lifetime", Kind::kDuration, offsetof(OAuth2::Signing, lifetime_ms)},
};

constexpr Field kJwtSvidFields[] = {
    {"audience", Kind::kTexts, offsetof(JwtSvid, audience)},
    {"spiffe_id", Kind::kWord, offsetof(JwtSvid, spiffe_id)},
};

constexpr Field kPartyFields[] = {
    {"header", Kind::kHeaderName, offsetof(Party, header)},
    {"scheme", Kind::kLine, offsetof(Party, scheme)},
    {"remove", Kind::kFlag, offsetof(Party, remove)},
    {"type", Kind::kWord, offsetof(Party, type)},
    {"token", Kind::kLine, offsetof(Party, token), {}, kRefers},
};

constexpr Field kCacheFields[] = {
    {"entries", Kind::kCount, offsetof(TokenCache, entries)},
    {"bytes", Kind::kMemory, offsetof(TokenCache, bytes)},
    {"default_life", Kind::kDuration, offsetof(TokenCache, default_life_ms)},
    {"refused_life", Kind::kDuration, offsetof(TokenCache, refused_life_ms)},
    {"max_token", Kind::kBytes, offsetof(TokenCache, max_token)},
    {"max_waiting", Kind::kCount, offsetof(TokenCache, max_waiting)},
    {"max_calls", Kind::kCount, offsetof(TokenCache, max_calls)},
};

constexpr Field kOnErrorFields[] = {
    {"no_subject", Kind::kStatusOrPass, offsetof(OnError, no_subject)},
    {"subject_refused", Kind::kStatus, offsetof(OnError, subject_refused)},
    {"denied", Kind::kStatus, offsetof(OnError, denied)},
    {"provider_refused", Kind::kStatus, offsetof(OnError, provider_refused)},
    {"unavailable", Kind::kStatus, offsetof(OnError, unavailable)},
};

constexpr Field kWithFields[] = {
    {"audience", Kind::kTexts, offsetof(With, audience)},
    {"scopes", Kind::kTexts, offsetof(With, scopes)},
    {"resource", Kind::kTexts, offsetof(With, resource)},
};

}  // namespace

const Schema kSigningSchema = {kSigningFields};
const Schema kJwtSvidSchema = {kJwtSvidFields};
const Schema kPartySchema = {kPartyFields};
const Schema kCacheSchema = {kCacheFields};
const Schema kOnErrorSchema = {kOnErrorFields};
const Schema kWithSchema = {kWithFields};

}  // namespace inlay::header_augmenting
