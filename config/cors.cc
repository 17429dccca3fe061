// SPDX-License-Identifier: Apache-2.0
// extensions/filters/http/cors/v3 CorsPolicy, config/route/v3 CorsPolicy.
#include <utility>

#include "config/builders.h"

namespace inlay::config {

namespace {

constexpr std::string_view kNoRuntime = "there is no runtime; the default value counts";

constexpr FieldRule kPolicy[] = {
    {"allow_origin_string_match"},
    {"allow_methods"},
    {"allow_headers"},
    {"expose_headers"},
    {"max_age"},
    {"allow_credentials"},
    {"filter_enabled", Support::kYes, kNoRuntime},
    {"shadow_enabled", Support::kYes, kNoRuntime},
    {"allow_private_network_access"},
    {"forward_not_matching_preflights"},
};
constexpr FieldRule kRuntimeFraction[] = {{"default_value"}, {"runtime_key", Support::kYes, kNoRuntime}};
constexpr FieldRule kFraction[] = {{"numerator"}, {"denominator"}};
constexpr MessageRules kRules[] = {
    {"envoy.extensions.filters.http.cors.v3.CorsPolicy", kPolicy},
    {"envoy.extensions.filters.http.cors.v3.Cors", {}},
    {"envoy.config.route.v3.CorsPolicy", kPolicy},
    {"envoy.config.core.v3.RuntimeFractionalPercent", kRuntimeFraction},
    {"envoy.type.v3.FractionalPercent", kFraction},
};

Fraction build_fraction(View percent, Fraction otherwise, BuildContext& context) {
  if (!percent || !context.require(percent, "default_value")) return otherwise;
  static constexpr uint32_t kDenominators[] = {100, 10'000, 1'000'000};
  const View value = percent["default_value"];
  return {value.uint32("numerator"), kDenominators[value.enumerator("denominator")]};
}

std::optional<bool> build_optional(View policy, std::string_view field) {
  return policy.has(field) ? std::optional<bool>(policy.boolean(field)) : std::nullopt;
}

}  // namespace

std::span<const MessageRules> cors_rules() {
  return kRules;
}

CorsPolicy build_cors_policy(View policy, BuildContext& context) {
  CorsPolicy out;
  for (View origin : policy.list("allow_origin_string_match"))
    out.allow_origins.push_back(build_string_matcher(origin, context));
  const std::pair<std::string_view, std::string*> texts[] = {{"allow_methods", &out.allow_methods},
                                                             {"allow_headers", &out.allow_headers},
                                                             {"expose_headers", &out.expose_headers},
                                                             {"max_age", &out.max_age}};
  for (const auto& [field, text] : texts) {
    *text = policy.text(field);
    if (text->find_first_of(std::string_view("\0\r\n", 3)) != std::string::npos)
      context.field_error(policy, field, "must not hold a line break or a NUL");
  }
  out.allow_credentials = build_optional(policy, "allow_credentials");
  out.allow_private_network_access = build_optional(policy, "allow_private_network_access");
  out.forward_not_matching_preflights = build_optional(policy, "forward_not_matching_preflights");
  out.enabled = build_fraction(policy["filter_enabled"], out.enabled, context);
  out.shadow = build_fraction(policy["shadow_enabled"], out.shadow, context);
  return out;
}

}  // namespace inlay::config
