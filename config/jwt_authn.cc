// SPDX-License-Identifier: Apache-2.0
// extensions/filters/http/jwt_authn/v3 JwtAuthentication and PerRouteConfig. No message has anything of a key in it.
#include "config/jwt_authn.h"

#include <algorithm>

#include "base/ascii.h"
#include "config/builders.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr FieldRule kAuthentication[] = {
    {"providers"},
    {"rules"},
    {"filter_state_rules", Support::kNo, "write the requirements into `rules`, or into routes by `requirement_name`"},
    {"bypass_cors_preflight"},
    {"requirement_map"},
    {"strip_failure_response"},
    {"stat_prefix"},
};
constexpr FieldRule kProvider[] = {
    {"issuer"},
    {"audiences"},
    {"subjects"},
    {"require_expiration"},
    {"max_lifetime"},
    {"remote_jwks"},
    {"local_jwks", Support::kYes, "read once"},
    {"forward"},
    {"from_headers"},
    {"from_params", Support::kYes, "the other parameters stay as they came when the token is taken out"},
    {"from_cookies"},
    {"forward_payload_header"},
    {"pad_forward_payload_header"},
    {"payload_in_metadata"},
    {"normalize_payload_in_metadata"},
    {"header_in_metadata"},
    {"failed_status_in_metadata"},
    {"clock_skew_seconds"},
    {"jwt_cache_config"},
    {"claim_to_headers"},
    {"clear_route_cache"},
};
constexpr FieldRule kNormalize[] = {{"space_delimited_claims"}};
constexpr FieldRule kCache[] = {{"jwt_cache_size"}, {"jwt_max_token_size"}};
constexpr FieldRule kRemote[] = {
    {"http_uri", Support::kYes, "of any status but 200, and of a text that is no key set, no key is taken"},
    {"cache_duration"},
    {"async_fetch"},
    {"retry_policy"},
};
constexpr FieldRule kAsync[] = {
    {"fast_listener", Support::kYes, "the listener never waits: requests that need keys do"},
    {"failed_refetch_duration"},
};
constexpr FieldRule kHeader[] = {{"name"}, {"value_prefix"}};
constexpr FieldRule kClaim[] = {{"header_name"}, {"claim_name"}, {"claim_path"}};
constexpr FieldRule kSegment[] = {{"key"}};
constexpr FieldRule kAudiences[] = {{"provider_name"}, {"audiences"}};
constexpr FieldRule kRequirement[] = {
    {"provider_name"},
    {"provider_and_audiences"},
    {"requires_any"},
    {"requires_all"},
    {"allow_missing_or_failed"},
    {"allow_missing"},
    {"extract_only_without_validation", Support::kNo, "name a provider: claims that nobody has verified are anybody's"},
};
constexpr FieldRule kList[] = {{"requirements"}};
constexpr FieldRule kRule[] = {
    {"match", Support::kYes, "`grpc` is ignored, as in Envoy"}, {"requires"}, {"requirement_name"}};
constexpr FieldRule kPerRoute[] = {{"disabled"}, {"requirement_name"}};
constexpr MessageRules kRules[] = {
    {"envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication", kAuthentication},
    {"envoy.extensions.filters.http.jwt_authn.v3.JwtProvider", kProvider},
    {"envoy.extensions.filters.http.jwt_authn.v3.JwtProvider.NormalizePayload", kNormalize},
    {"envoy.extensions.filters.http.jwt_authn.v3.JwtCacheConfig", kCache},
    {"envoy.extensions.filters.http.jwt_authn.v3.RemoteJwks", kRemote},
    {"envoy.extensions.filters.http.jwt_authn.v3.JwksAsyncFetch", kAsync},
    {"envoy.extensions.filters.http.jwt_authn.v3.JwtHeader", kHeader},
    {"envoy.extensions.filters.http.jwt_authn.v3.JwtClaimToHeader", kClaim},
    {"envoy.extensions.filters.http.jwt_authn.v3.JwtClaimToHeader.PathSegment", kSegment},
    {"envoy.extensions.filters.http.jwt_authn.v3.ProviderWithAudiences", kAudiences},
    {"envoy.extensions.filters.http.jwt_authn.v3.JwtRequirement", kRequirement},
    {"envoy.extensions.filters.http.jwt_authn.v3.JwtRequirementOrList", kList},
    {"envoy.extensions.filters.http.jwt_authn.v3.JwtRequirementAndList", kList},
    {"envoy.extensions.filters.http.jwt_authn.v3.RequirementRule", kRule},
    {"envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig", kPerRoute},
};

constexpr Milliseconds kLongestCache = std::chrono::hours(2'500'000);  // validate.proto
constexpr uint32_t kMostCached = 1'000'000;
constexpr std::string_view kLineBreaks("\0\r\n", 3);

}  // namespace

std::span<const MessageRules> jwt_authn_rules() {
  return kRules;
}

namespace {

// A header's name; Envoy's own check lets more through than can be sent.
std::string read_header_name(View message, std::string_view field, BuildContext& context) {
  std::string name = message.text(field);
  if (!name.empty() && !is_header_name(name))
    context.field_error(message, field, document::quote(name) + " is not a header name");
  return lower(name);
}

// Of a header that the filter makes.
std::string read_made_header(View message, std::string_view field, BuildContext& context) {
  std::string name = read_header_name(message, field, context);
  if (name == "host") context.field_error(message, field, "`host` cannot be set here");
  return name;
}

void read_local_keys(View source, JwtProvider& out, BuildContext& context) {
  const auto data = read_data_source(source, jwt::kLargestKeySet, context);
  if (!data) return;
  if (data->bytes.empty()) {
    context.report.warning(source.node(), "is empty: no token has a valid key");
    return;
  }
  auto keys = std::make_shared<jwt::KeySet>();
  const jwt::Status status = jwt::KeySet::read(data->bytes, *keys);
  if (status != jwt::Status::kOk)
    context.error(source, "is no key set with a key to verify by: " + std::string(jwt::text(status)));
  out.local_jwks = std::move(keys);
}

RemoteKeys build_remote_keys(View remote, BuildContext& context) {
  RemoteKeys out;
  if (context.require(remote, "http_uri")) read_http_uri(remote["http_uri"], false, out, context);
  out.num_retries = 0;
  if (View policy = remote["retry_policy"]) {
    out.has_retry_policy = true;
    read_retry_policy(policy, out, context);
  }
  out.cache_duration = remote.duration("cache_duration", out.cache_duration);
  if (remote.has("cache_duration") && (out.cache_duration < Milliseconds(1) || out.cache_duration >= kLongestCache))
    context.field_error(remote, "cache_duration", "must be at least 0.001s, and less than 9000000000s");
  if (View async = remote["async_fetch"]) {
    out.async.emplace();
    out.async->fast_listener = async.boolean("fast_listener");
    out.async->failed_refetch_duration = async.duration("failed_refetch_duration", out.async->failed_refetch_duration);
  }
  return out;
}

void read_places(View provider, JwtProvider& out, BuildContext& context) {
  for (View header : provider.list("from_headers")) {
    JwtProvider::Header made;
    if (context.require(header, "name")) made.name = read_header_name(header, "name", context);
    made.value_prefix = header.text("value_prefix");
    if (made.value_prefix.find_first_of(kLineBreaks) != std::string::npos)
      context.field_error(header, "value_prefix", "must not hold a line break or a NUL");
    out.from_headers.push_back(std::move(made));
  }
  out.from_params = provider.texts("from_params");
  out.from_cookies = provider.texts("from_cookies");
  if (!out.from_headers.empty() || !out.from_params.empty() || !out.from_cookies.empty()) return;
  out.from_headers = {{"authorization", "Bearer "}};
  out.from_params = {"access_token"};
}

// "a.b" is the member b of the member a.
std::vector<std::string> split(std::string_view name) {
  std::vector<std::string> out;
  size_t begin = 0;
  for (size_t dot; (dot = name.find('.', begin)) != std::string_view::npos; begin = dot + 1)
    out.emplace_back(name.substr(begin, dot - begin));
  out.emplace_back(name.substr(begin));
  return out;
}

void read_claims(View provider, JwtProvider& out, BuildContext& context) {
  for (View claim : provider.list("claim_to_headers")) {
    JwtProvider::ClaimHeader made;
    if (context.require(claim, "header_name")) made.header = read_made_header(claim, "header_name", context);
    const std::string name = claim.text("claim_name");
    for (View segment : claim.list("claim_path")) {
      context.require(segment, "key");
      made.path.push_back(segment.text("key"));
    }
    if (name.empty() == made.path.empty()) context.error(claim, "needs either `claim_name` or `claim_path`");
    if (made.path.empty()) made.path = split(name);
    out.claim_to_headers.push_back(std::move(made));
  }
}

void read_cache(View cache, JwtProvider& out, BuildContext& context) {
  if (!cache) return;
  out.jwt_cache.emplace();
  if (const uint32_t size = cache.uint32("jwt_cache_size"); size != 0) out.jwt_cache->size = size;
  if (const uint32_t size = cache.uint32("jwt_max_token_size"); size != 0) out.jwt_cache->max_token_size = size;
  if (out.jwt_cache->size > kMostCached)
    context.field_error(cache, "jwt_cache_size", "must be at most " + std::to_string(kMostCached));
}

void read_metadata(View provider, JwtProvider& out) {
  out.payload_in_metadata = provider.text("payload_in_metadata");
  out.space_delimited_claims = provider["normalize_payload_in_metadata"].texts("space_delimited_claims");
  out.header_in_metadata = provider.text("header_in_metadata");
  out.failed_status_in_metadata = provider.text("failed_status_in_metadata");
}

JwtProvider build_provider(View provider, BuildContext& context) {
  JwtProvider out;
  out.name = provider.node().key;
  out.issuer = provider.text("issuer");
  out.audiences = provider.texts("audiences");
  if (View subjects = provider["subjects"]) out.subjects = build_string_matcher(subjects, context);
  out.require_expiration = provider.boolean("require_expiration");
  if (View lifetime = provider["max_lifetime"]) out.max_lifetime = lifetime.node().duration;
  if (View local = provider["local_jwks"])
    read_local_keys(local, out, context);
  else if (View remote = provider["remote_jwks"])
    out.remote_jwks = build_remote_keys(remote, context);
  else
    context.error(provider, "needs one of `local_jwks`, `remote_jwks`");
  out.forward = provider.boolean("forward");
  read_places(provider, out, context);
  out.forward_payload_header = read_made_header(provider, "forward_payload_header", context);
  out.pad_forward_payload_header = provider.boolean("pad_forward_payload_header");
  read_metadata(provider, out);
  if (const uint32_t skew = provider.uint32("clock_skew_seconds"); skew != 0) out.clock_skew_seconds = skew;
  read_cache(provider["jwt_cache_config"], out, context);
  read_claims(provider, out, context);
  out.clear_route_cache = provider.boolean("clear_route_cache");
  return out;
}

class RequirementReader {
 public:
  RequirementReader(const std::vector<JwtProvider>& providers, BuildContext& context)
      : providers_(providers), context_(context) {}

  JwtRequirement read(View requirement) {
    using Kind = JwtRequirement::Kind;
    JwtRequirement out;
    if (requirement.has("provider_name")) {
      out.kind = Kind::kProvider;
      out.provider = provider(requirement);
    } else if (View named = requirement["provider_and_audiences"]) {
      out.kind = Kind::kProvider;
      out.provider = provider(named);
      out.audiences = named.texts("audiences");
    } else if (View any = requirement["requires_any"]) {
      out.kind = Kind::kAny;
      read_list(any, out);
    } else if (View all = requirement["requires_all"]) {
      out.kind = Kind::kAll;
      read_list(all, out);
    } else if (requirement.has("allow_missing_or_failed")) {
      out.kind = Kind::kAllowMissingOrFailed;
    } else if (requirement.has("allow_missing")) {
      out.kind = Kind::kAllowMissing;
    }
    return out;
  }

 private:
  std::string provider(View message) {
    std::string name = message.text("provider_name");
    const auto same = [&](const JwtProvider& one) { return one.name == name; };
    if (std::none_of(providers_.begin(), providers_.end(), same))
      context_.field_error(message, "provider_name",
                           "there is no provider " + document::quote(name) + " in `providers`");
    return name;
  }
  void read_list(View list, JwtRequirement& out) {
    for (View one : list.list("requirements")) out.requirements.push_back(read(one));
    if (out.requirements.size() < 2) context_.field_error(list, "requirements", "must have at least 2 entries");
  }

  const std::vector<JwtProvider>& providers_;
  BuildContext& context_;
};

JwtRule build_rule(View rule, RequirementReader& reader, const JwtAuthentication& filter, BuildContext& context) {
  JwtRule out;
  if (context.require(rule, "match")) out.match = build_route_match(rule["match"], context);
  if (out.match.grpc_only)
    context.report.warning(rule["match"]["grpc"].node(), "is ignored in rules of jwt_authn, as in Envoy");
  out.match.grpc_only = false;
  if (View requires_ = rule["requires"]) {
    out.requirement = reader.read(requires_);
  } else if (rule.has("requirement_name") && context.require(rule, "requirement_name")) {
    const std::string name = rule.text("requirement_name");
    const auto found = std::find_if(filter.requirement_map.begin(), filter.requirement_map.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    if (found == filter.requirement_map.end())
      context.field_error(rule, "requirement_name",
                          "there is no requirement " + document::quote(name) + " in `requirement_map`");
    else
      out.requirement = found->second;
  }
  return out;
}

}  // namespace

JwtAuthnFilter build_jwt_authn(View filter, BuildContext& context) {
  auto out = std::make_shared<JwtAuthentication>();
  for (View provider : filter.list("providers")) out->providers.push_back(build_provider(provider, context));
  RequirementReader reader(out->providers, context);
  for (View requirement : filter.list("requirement_map"))
    out->requirement_map.emplace_back(requirement.node().key, reader.read(requirement));
  for (View rule : filter.list("rules")) out->rules.push_back(build_rule(rule, reader, *out, context));
  out->bypass_cors_preflight = filter.boolean("bypass_cors_preflight");
  out->strip_failure_response = filter.boolean("strip_failure_response");
  out->stat_prefix = filter.text("stat_prefix");
  return {std::move(out)};
}

JwtRouteSetting build_jwt_route_setting(View setting, const std::string& filter, BuildContext& context) {
  JwtRouteSetting out{filter, setting.boolean("disabled"), setting.text("requirement_name")};
  if (setting.has("disabled")) {
    if (!out.disabled) context.field_error(setting, "disabled", "must be `true`; else name a requirement");
  } else if (setting.has("requirement_name")) {
    context.require(setting, "requirement_name");
  } else {
    context.error(setting, "needs one of `disabled`, `requirement_name`");
  }
  return out;
}

}  // namespace inlay::config
