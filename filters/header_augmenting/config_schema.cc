// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/config_schema.h"

#include <iterator>
#include <type_traits>

#include "filters/header_augmenting/config.h"

namespace inlay::header_augmenting {
namespace {

// In the order of Kind.
constexpr const char* kExpected[] = {
    "a string",
    "a string without control characters",
    "a string without white space",
    "a host name, a string without white space",
    "a path that starts with \"/\", a string without white space",
    "a name of letters, digits and \"-._\"",
    "a header name",
    "a string, or an array of strings",
    "an array of strings without white space",
    "an array of header names, or prefixes that end in \"*\"",
    "an array of names of headers that may be set",
    "an object of name to string",
    "an object of header name, of a header that may be set, to string",
    "true or false",
    "a duration such as \"250ms\", \"10s\", \"5m\", \"1h30m\" or \"1d\"",
    "a duration such as \"0s\" or \"5m\", or \"unlimited\"",
    "a percentage such as \"20%\", or a duration such as \"30s\"",
    "a number of seconds, or a duration such as \"2s\"",
    "a number of bytes from 1 to 16777216",
    "a number of bytes from 65536 to 1073741824",
    "a number from 1 to 1000000",
    "a status from 200 to 599",
    "a status from 200 to 599, or \"pass\"",
    "an array of statuses from 200 to 599",
    "one of",
    "an object",
    "an array of objects",
};
static_assert(std::size(kExpected) == static_cast<size_t>(Kind::kObjects) + 1);
// So that offsetof says where a member is.
static_assert(std::is_standard_layout_v<ConfigValues> && std::is_standard_layout_v<Rule>);

// What an element of an array is before it is read. Its bytes are copied.
constexpr HeaderMatch kInitialHeaderMatch{};
constexpr Rule kInitialRule{};
static_assert(std::is_trivially_copyable_v<SourceConfig> && std::is_trivially_copyable_v<Rule> &&
              std::is_trivially_copyable_v<HeaderMatch>);

constexpr uint8_t kRequired = Field::kRequired;
constexpr uint8_t kRefers = Field::kRefers;

constexpr const char* kFormats[] = {"headers", "oauth2", "template", "text", "jwt_svid", nullptr};
constexpr const char* kGrants[] = {"client_credentials", "password",   "refresh_token",
                                   "token_exchange",     "jwt_bearer", nullptr};
constexpr const char* kAuthentications[] = {"client_secret_basic", "client_secret_post", "none",
                                            "client_assertion",    "private_key_jwt",    nullptr};
constexpr const char* kModes[] = {"set", "if_absent", "append", nullptr};
constexpr const char* kActions[] = {"reject", "pass", "hold", nullptr};

constexpr Field kRetryFields[] = {
    {"initial", Kind::kDuration, offsetof(Refresh, retry_initial_ms)},
    {"max", Kind::kDuration, offsetof(Refresh, retry_max_ms)},
};
constexpr Schema kRetry = {kRetryFields};

constexpr Field kRefreshFields[] = {
    {"every", Kind::kDuration, offsetof(Refresh, every_ms)},
    {"early", Kind::kShare, offsetof(Refresh, early)},
    {"jitter", Kind::kShare, offsetof(Refresh, jitter)},
    {"retry", Kind::kObject, 0, &kRetry},
};
constexpr Schema kRefresh = {kRefreshFields};

constexpr Field kOAuth2Fields[] = {
    {"grant_type", Kind::kChoice, offsetof(OAuth2, grant_type), kGrants},
    {"client_id", Kind::kLine, offsetof(OAuth2, client_id), {}, kRequired | kRefers},
    {"client_secret", Kind::kLine, offsetof(OAuth2, client_secret), {}, kRefers},
    {"auth_method", Kind::kChoice, offsetof(OAuth2, auth_method), kAuthentications},
    {"client_assertion", Kind::kLine, offsetof(OAuth2, client_assertion), {}, kRefers, kAssertions},
    {"client_assertion_type", Kind::kLine, offsetof(OAuth2, client_assertion_type), {}, kRefers, kAssertions},
    {"signing", Kind::kObject, offsetof(OAuth2, signing), &kSigningSchema, 0, kAssertions},
    {"username", Kind::kLine, offsetof(OAuth2, username), {}, kRefers, kAssertions},
    {"password", Kind::kLine, offsetof(OAuth2, password), {}, kRefers, kAssertions},
    {"refresh_token", Kind::kLine, offsetof(OAuth2, refresh_token), {}, kRefers, kAssertions},
    {"subject", Kind::kObject, offsetof(OAuth2, subject), &kPartySchema, 0, kExchange},
    {"actor", Kind::kObject, offsetof(OAuth2, actor), &kPartySchema, 0, kExchange},
    {"requested_token_type", Kind::kWord, offsetof(OAuth2, requested_token_type), {}, 0, kExchange},
    {"scopes", Kind::kTexts, offsetof(OAuth2, scopes), {}, kRefers},
    {"audience", Kind::kTexts, offsetof(OAuth2, audience), {}, kRefers},
    {"resource", Kind::kTexts, offsetof(OAuth2, resource), {}, kRefers},
    {"endpoint_params", Kind::kParameters, offsetof(OAuth2, endpoint_params), {}, kRefers},
};
constexpr Schema kOAuth2 = {kOAuth2Fields};

constexpr Field kSourceFields[] = {
    {"name", Kind::kName, offsetof(SourceConfig, name)},
    {"cluster", Kind::kWord, offsetof(SourceConfig, cluster)},
    {"authority", Kind::kWord, offsetof(SourceConfig, authority)},
    {"path", Kind::kPath, offsetof(SourceConfig, path)},
    {"method", Kind::kName, offsetof(SourceConfig, method)},
    {"request_headers", Kind::kHeaders, offsetof(SourceConfig, request_headers), {}, kRefers},
    {"body", Kind::kText, offsetof(SourceConfig, body), {}, kRefers},
    {"timeout", Kind::kDuration, offsetof(SourceConfig, timeout_ms)},
    {"format", Kind::kChoice, offsetof(SourceConfig, format), kFormats},
    {"oauth2", Kind::kObject, offsetof(SourceConfig, oauth2), &kOAuth2},
    {"jwt_svid", Kind::kObject, offsetof(SourceConfig, jwt_svid), &kJwtSvidSchema, 0, kSvid},
    {"headers", Kind::kHeaders, offsetof(SourceConfig, headers)},
    {"allow", Kind::kNames, offsetof(SourceConfig, allow)},
    {"refresh", Kind::kObject, offsetof(SourceConfig, refresh), &kRefresh},
    {"max_stale", Kind::kStale, offsetof(SourceConfig, max_stale_ms)},
    {"cache", Kind::kObject, offsetof(SourceConfig, cache), &kCacheSchema, 0, kExchange},
    {"on_error", Kind::kObject, offsetof(SourceConfig, on_error), &kOnErrorSchema, 0, kExchange},
};
constexpr Schema kSource = {kSourceFields, &kInitialValues.flat, sizeof(SourceConfig)};

constexpr Field kHeaderMatchFields[] = {
    {"name", Kind::kHeaderName, offsetof(HeaderMatch, name), {}, kRequired},
    {"exact", Kind::kText, offsetof(HeaderMatch, exact)},
    {"prefix", Kind::kText, offsetof(HeaderMatch, prefix)},
    {"present", Kind::kFlag, offsetof(HeaderMatch, present)},
};
constexpr Schema kHeaderMatch = {kHeaderMatchFields, &kInitialHeaderMatch, sizeof(HeaderMatch)};

constexpr Field kMatchFields[] = {
    {"cluster", Kind::kWord, offsetof(Match, cluster)},
    {"authority", Kind::kHost, offsetof(Match, authority)},
    {"path_prefix", Kind::kPath, offsetof(Match, path_prefix)},
    {"path", Kind::kPath, offsetof(Match, path)},
    {"methods", Kind::kWords, offsetof(Match, methods)},
    {"headers", Kind::kObjects, offsetof(Match, headers), &kHeaderMatch},
};
constexpr Schema kMatch = {kMatchFields};

constexpr Field kRuleFields[] = {
    {"match", Kind::kObject, offsetof(Rule, match), &kMatch},
    {"use", Kind::kWords, offsetof(Rule, use)},
    {"with", Kind::kObject, offsetof(Rule, with), &kWithSchema, 0, kExchange},
    {"mode", Kind::kChoice, offsetof(Rule, mode), kModes},
    {"remove", Kind::kHeaderNames, offsetof(Rule, remove)},
};
constexpr Schema kRule = {kRuleFields, &kInitialRule, sizeof(Rule)};

constexpr Field kWhenMissingFields[] = {
    {"action", Kind::kChoice, offsetof(WhenMissing, action), kActions},
    {"status", Kind::kStatus, offsetof(WhenMissing, status)},
    {"body", Kind::kText, offsetof(WhenMissing, body)},
    {"retry-after", Kind::kSeconds, offsetof(WhenMissing, retry_after)},
    {"hold_for", Kind::kDuration, offsetof(WhenMissing, hold_for_ms), {}, 0, kHold},
    {"max_held", Kind::kCount, offsetof(WhenMissing, max_held), {}, 0, kHold},
};
constexpr Schema kWhenMissing = {kWhenMissingFields};

constexpr size_t kFlat = offsetof(ConfigValues, flat);
constexpr Field kConfigFields[] = {
    {"header_providing_service_cluster", Kind::kWord, kFlat + offsetof(SourceConfig, cluster)},
    {"header_providing_service_authority", Kind::kWord, kFlat + offsetof(SourceConfig, authority)},
    {"header_providing_service_path", Kind::kPath, kFlat + offsetof(SourceConfig, path)},
    {"header_cache_expiry", Kind::kDuration, kFlat + offsetof(SourceConfig, refresh) + offsetof(Refresh, every_ms)},
    {"sources", Kind::kObjects, offsetof(ConfigValues, sources), &kSource},
    {"rules", Kind::kObjects, offsetof(ConfigValues, rules), &kRule},
    {"when_missing", Kind::kObject, offsetof(ConfigValues, when_missing), &kWhenMissing},
    {"invalidate_on", Kind::kStatuses, offsetof(ConfigValues, invalidate_on)},
    {"max_body", Kind::kBytes, offsetof(ConfigValues, max_body)},
    {"trace", Kind::kFlag, offsetof(ConfigValues, trace)},
};

}  // namespace

const Schema kConfigSchema = {kConfigFields};

const char* expected(Kind kind) {
  return kExpected[static_cast<size_t>(kind)];
}

}  // namespace inlay::header_augmenting
