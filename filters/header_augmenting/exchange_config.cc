// SPDX-License-Identifier: Apache-2.0
// check_per_request (per_request.h): what the keys of token_exchange and jwt_bearer demand of each other.
#include <cstring>

#include "filters/header_augmenting/header_rules.h"
#include "filters/header_augmenting/oauth2.h"
#include "filters/header_augmenting/per_request.h"

namespace inlay::header_augmenting {
namespace {

constexpr uint64_t kMostEntries = 65536;

// check_type: of a token; `fallback` if none is given.
void check_type(Check& check, const char* key, std::string_view& type, std::string_view fallback) {
  if (type.data() == nullptr) type = fallback;
  if (!type.empty() && !is_token_type(type))
    check.found(key, type, "access_token, refresh_token, id_token, saml1, saml2, jwt, txn_token, id-jag, or a URI");
}

bool is_of_request(const Party& party) {
  return party.header.data() != nullptr || party.scheme.data() != nullptr || party.remove != Presence::kAny;
}

bool is_given(const Party& party) {
  return is_of_request(party) || party.type.data() != nullptr || party.token.data() != nullptr;
}

void check_party(Party& party, const Place& place, Report& report) {
  Check check(place, report);
  check.must(party.token.data() == nullptr || !is_of_request(party), "token", "a string",
             "none beside the keys that say where in a request it stands");
  check_type(check, "type", party.type, "access_token");
  check.must(party.scheme.empty() || is_token(party.scheme), "scheme", "a string with other characters",
             "the name of a scheme, or an empty string");
  if (party.token.data() != nullptr) return;
  if (party.header.data() == nullptr) party.header = "authorization";
  if (party.scheme.data() == nullptr) party.scheme = party.header == "authorization" ? "Bearer" : "";
}

}  // namespace

void check_per_request(SourceConfig& source, const Place& place, Report& report) {
  OAuth2& oauth2 = source.oauth2;
  const bool exchanges = oauth2.grant_type == OAuth2::Grant::kTokenExchange;
  const bool either = exchanges || oauth2.grant_type == OAuth2::Grant::kJwtBearer;
  source.per_request = either && oauth2.subject.token.data() == nullptr;
  const Place inner = {&place, "oauth2"};
  Check keys(inner, report);
  keys.must(either || !is_given(oauth2.subject), "subject", "an object",
            "one with \"grant_type\" \"token_exchange\" or \"jwt_bearer\" only");
  const bool acts = is_given(oauth2.actor);
  keys.must(exchanges || !acts, "actor", "an object", "one with \"grant_type\" \"token_exchange\" only");
  keys.must(exchanges || oauth2.requested_token_type.data() == nullptr, "requested_token_type", "a string",
            "one with \"grant_type\" \"token_exchange\" only");
  check_type(keys, "requested_token_type", oauth2.requested_token_type, {});
  if (either) check_party(oauth2.subject, {&inner, "subject"}, report);
  if (acts) {
    keys.must(source.per_request || oauth2.actor.token.data() != nullptr, "actor", "no \"token\"",
              "one, since the subject is of no request either");
    check_party(oauth2.actor, {&inner, "actor"}, report);
    keys.must(oauth2.actor.token.data() != nullptr || oauth2.actor.header != oauth2.subject.header, "actor",
              "the subject's header", "\"header\" with another, or \"token\"");
  }
  Check all(place, report);
  const TokenCache cache;
  const OnError on_error;
  all.must(source.per_request || std::memcmp(&cache, &source.cache, sizeof cache) == 0, "cache", "an object",
           "one with a source that is asked for each request only");
  all.must(source.per_request || std::memcmp(&on_error, &source.on_error, sizeof on_error) == 0, "on_error",
           "an object", "one with a source that is asked for each request only");
  all.must(source.cache.entries <= kMostEntries, "cache", "more than 65536 \"entries\"", "65536 at most");
  all.must(!source.per_request || source.max_stale_ms == kNotGiven, "max_stale", "a value",
           "none: no token is used past its end");
}

}  // namespace inlay::header_augmenting
