// SPDX-License-Identifier: Apache-2.0
// type/matcher/v3 StringMatcher, RegexMatcher; config/route/v3 HeaderMatcher, QueryParameterMatcher.
#include <re2/re2.h>

#include "base/ascii.h"
#include "config/builders.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr FieldRule kStringMatcher[] = {
    {"exact"}, {"prefix"}, {"suffix"}, {"contains"}, {"safe_regex"}, {"ignore_case"},
};
constexpr FieldRule kRegexMatcher[] = {
    {"google_re2", Support::kIgnored, "the engine is RE2"},
    {"regex"},
};
constexpr FieldRule kRegexMatchAndSubstitute[] = {{"pattern"}, {"substitution"}};
constexpr FieldRule kHeaderMatcher[] = {
    {"name"},
    {"string_match"},
    {"present_match"},
    {"range_match"},
    {"exact_match"},
    {"prefix_match"},
    {"suffix_match"},
    {"contains_match"},
    {"safe_regex_match"},
    {"invert_match"},
    {"treat_missing_header_as_empty"},
};
constexpr FieldRule kQueryParameterMatcher[] = {
    {"name"}, {"string_match"}, {"present_match", Support::kOnly, "", "true"}};
constexpr FieldRule kInt64Range[] = {{"start"}, {"end"}};
constexpr MessageRules kRules[] = {
    {"envoy.type.matcher.v3.StringMatcher", kStringMatcher},
    {"envoy.type.matcher.v3.RegexMatcher", kRegexMatcher},
    {"envoy.type.matcher.v3.RegexMatchAndSubstitute", kRegexMatchAndSubstitute},
    {"envoy.config.route.v3.HeaderMatcher", kHeaderMatcher},
    {"envoy.config.route.v3.QueryParameterMatcher", kQueryParameterMatcher},
    {"envoy.type.v3.Int64Range", kInt64Range},
};

}  // namespace

std::span<const MessageRules> matcher_rules() {
  return kRules;
}

std::string build_regex(View regex, BuildContext& context) {
  const std::string pattern = regex.text("regex");
  if (!context.require(regex, "regex")) return pattern;
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 compiled(pattern, options);
  if (!compiled.ok()) context.field_error(regex, "regex", "not a regular expression of RE2: " + compiled.error());
  return pattern;
}

RouteAction::RegexRewrite build_regex_rewrite(View rewrite, BuildContext& context) {
  RouteAction::RegexRewrite out;
  out.substitution = rewrite.text("substitution");
  if (!context.require(rewrite, "pattern")) return out;
  out.pattern = build_regex(rewrite["pattern"], context);
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 compiled(out.pattern, options);
  std::string why;
  if (compiled.ok() && !compiled.CheckRewriteString(out.substitution, &why))
    context.field_error(rewrite, "substitution", "does not fit the pattern: " + why);
  return out;
}

StringMatcher build_string_matcher(View matcher, BuildContext& context) {
  using Kind = StringMatcher::Kind;
  struct Form {
    std::string_view field;
    Kind kind;
    bool may_be_empty;
  };
  static constexpr Form kForms[] = {{"exact", Kind::kExact, true},
                                    {"prefix", Kind::kPrefix, false},
                                    {"suffix", Kind::kSuffix, false},
                                    {"contains", Kind::kContains, false}};
  StringMatcher out;
  out.ignore_case = matcher.boolean("ignore_case");
  for (const Form& form : kForms) {
    if (!matcher.has(form.field)) continue;
    out.kind = form.kind;
    out.value = matcher.text(form.field);
    if (!form.may_be_empty) context.require(matcher, form.field);
    return out;
  }
  if (View regex = matcher["safe_regex"]) {
    out.kind = Kind::kSafeRegex;
    out.value = build_regex(regex, context);
    if (out.ignore_case) context.field_error(matcher, "ignore_case", "cannot be set with `safe_regex`; use (?i) in it");
    return out;
  }
  if (!matcher.has("custom"))
    context.error(matcher, "needs one of `exact`, `prefix`, `suffix`, `contains`, `safe_regex`");
  return out;
}

namespace {

// The deprecated forms that HeaderMatcher had before `string_match`.
bool deprecated_match(View matcher, StringMatcher& out, BuildContext& context) {
  using Kind = StringMatcher::Kind;
  static constexpr std::pair<std::string_view, Kind> kForms[] = {{"exact_match", Kind::kExact},
                                                                 {"prefix_match", Kind::kPrefix},
                                                                 {"suffix_match", Kind::kSuffix},
                                                                 {"contains_match", Kind::kContains}};
  for (const auto& [field, kind] : kForms) {
    if (!matcher.has(field)) continue;
    out.kind = kind;
    out.value = matcher.text(field);
    if (kind != Kind::kExact) context.require(matcher, field);
    return true;
  }
  if (View regex = matcher["safe_regex_match"]) {
    out.kind = Kind::kSafeRegex;
    out.value = build_regex(regex, context);
    return true;
  }
  return false;
}

}  // namespace

HeaderMatcher build_header_matcher(View matcher, BuildContext& context) {
  HeaderMatcher out;
  out.name = lower(matcher.text("name"));
  if (context.require(matcher, "name") && !is_header_name(out.name, true))
    context.field_error(matcher, "name", document::quote(out.name) + " is not a header name");
  out.invert = matcher.boolean("invert_match");
  out.treat_missing_as_empty = matcher.boolean("treat_missing_header_as_empty");
  if (View string = matcher["string_match"]) {
    out.kind = HeaderMatcher::Kind::kString;
    out.string = build_string_matcher(string, context);
  } else if (View range = matcher["range_match"]) {
    out.kind = HeaderMatcher::Kind::kRange;
    out.range_start = range.int64("start");
    out.range_end = range.int64("end");
  } else if (deprecated_match(matcher, out.string, context)) {
    out.kind = HeaderMatcher::Kind::kString;
  } else {
    out.present = matcher.boolean("present_match", true);
  }
  return out;
}

QueryParameterMatcher build_query_parameter_matcher(View matcher, BuildContext& context) {
  QueryParameterMatcher out;
  out.name = matcher.text("name");
  context.require(matcher, "name");
  if (out.name.size() > 1024) context.field_error(matcher, "name", "must be at most 1024 bytes");
  if (View string = matcher["string_match"]) out.string = build_string_matcher(string, context);
  return out;
}

}  // namespace inlay::config
