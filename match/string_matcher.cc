// SPDX-License-Identifier: Apache-2.0
#include "match/string_matcher.h"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>

#include "base/ascii.h"

namespace inlay::match {
namespace {

bool ends_with_ignore_case(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && equals_ignore_case(text.substr(text.size() - suffix.size()), suffix);
}

bool contains_ignore_case(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return to_lower(a) == to_lower(b); }) != text.end();
}

}  // namespace

bool starts_with_ignore_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equals_ignore_case(text.substr(0, prefix.size()), prefix);
}

Result<std::shared_ptr<const re2::RE2>> compile_regex(std::string_view pattern) {
  auto regex = std::make_shared<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), re2::RE2::Quiet);
  if (!regex->ok()) {
    return Error{ErrorCode::kInvalidArgument,
                 "'" + std::string(pattern) + "' is no RE2 regular expression: " + regex->error(), ""};
  }
  return regex;
}

Result<StringMatcher> StringMatcher::compile(const config::StringMatcher& config) {
  StringMatcher matcher;
  matcher.config_ = config;
  if (config.kind == config::StringMatcher::Kind::kSafeRegex) {
    INLAY_TRY(matcher.regex_, compile_regex(config.value));
  }
  return matcher;
}

bool StringMatcher::matches(std::string_view text) const {
  using Kind = config::StringMatcher::Kind;
  const std::string_view value = config_.value;
  const bool ignore = config_.ignore_case;
  switch (config_.kind) {
    case Kind::kExact:
      return ignore ? equals_ignore_case(text, value) : text == value;
    case Kind::kPrefix:
      return ignore ? starts_with_ignore_case(text, value) : text.starts_with(value);
    case Kind::kSuffix:
      return ignore ? ends_with_ignore_case(text, value) : text.ends_with(value);
    case Kind::kContains:
      return ignore ? contains_ignore_case(text, value) : text.find(value) != std::string_view::npos;
    case Kind::kSafeRegex:
      return regex_ != nullptr && re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *regex_);
  }
  return false;
}

Result<HeaderMatcher> HeaderMatcher::compile(const config::HeaderMatcher& config) {
  HeaderMatcher matcher;
  matcher.config_ = config;
  INLAY_TRY(matcher.string_, StringMatcher::compile(config.string));
  return matcher;
}

bool HeaderMatcher::matches(const http::HeaderMap& headers) const {
  const auto first = headers.get(config_.name);
  const bool present_kind = config_.kind == config::HeaderMatcher::Kind::kPresent;
  if (!first && !config_.treat_missing_as_empty) {
    // Envoy: an absent header matches only what asks for its absence.
    return present_kind && config_.present == config_.invert;
  }
  if (present_kind) return config_.present != config_.invert;
  if (headers.count(config_.name) <= 1) return matches_value(first.value_or("")) != config_.invert;
  std::string joined;
  for (const auto& entry : headers) {
    if (entry.name != config_.name) continue;
    if (!joined.empty()) joined += ',';
    joined += entry.value;
  }
  return matches_value(joined) != config_.invert;
}

bool HeaderMatcher::matches_value(std::string_view value) const {
  if (config_.kind == config::HeaderMatcher::Kind::kString) return string_.matches(value);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  return error == std::errc() && end == value.data() + value.size() && number >= config_.range_start &&
         number < config_.range_end;
}

Result<QueryParameterMatcher> QueryParameterMatcher::compile(const config::QueryParameterMatcher& config) {
  QueryParameterMatcher matcher;
  matcher.name_ = config.name;
  matcher.present_only_ = !config.string.has_value();
  if (config.string) {
    INLAY_TRY(matcher.string_, StringMatcher::compile(*config.string));
  }
  return matcher;
}

bool QueryParameterMatcher::matches(std::string_view query) const {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const size_t equals = part.find('=');
    if (part.substr(0, equals) != name_) continue;
    return present_only_ || string_.matches(equals == std::string_view::npos ? "" : part.substr(equals + 1));
  }
  return false;
}

}  // namespace inlay::match
