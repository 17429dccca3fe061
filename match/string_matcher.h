// SPDX-License-Identifier: Apache-2.0
#pragma once

// config::StringMatcher, HeaderMatcher and QueryParameterMatcher made ready to match (regular expressions compiled).
// Immutable; any thread.

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/model.h"
#include "http/header_map.h"

namespace re2 {
class RE2;
}

namespace inlay::match {

// ASCII letters only, as HTTP means it.
bool starts_with_ignore_case(std::string_view text, std::string_view prefix);

// Compiles an RE2 expression. Errors: kInvalidArgument with RE2's words and the expression.
Result<std::shared_ptr<const re2::RE2>> compile_regex(std::string_view pattern);

class StringMatcher {
 public:
  static Result<StringMatcher> compile(const config::StringMatcher& config);
  bool matches(std::string_view text) const;

 private:
  config::StringMatcher config_;
  std::shared_ptr<const re2::RE2> regex_;
};

class HeaderMatcher {
 public:
  static Result<HeaderMatcher> compile(const config::HeaderMatcher& config);
  // Several values of the header are matched as one, joined by commas.
  bool matches(const http::HeaderMap& headers) const;

 private:
  bool matches_value(std::string_view value) const;
  config::HeaderMatcher config_;
  StringMatcher string_;
};

class QueryParameterMatcher {
 public:
  static Result<QueryParameterMatcher> compile(const config::QueryParameterMatcher& config);
  // `query`: what follows the "?", not decoded. The first parameter of the name counts.
  bool matches(std::string_view query) const;

 private:
  std::string name_;
  bool present_only_ = true;
  StringMatcher string_;
};

}  // namespace inlay::match
