// SPDX-License-Identifier: Apache-2.0
#include "match/string_matcher.h"

#include <gtest/gtest.h>

namespace inlay::match {
namespace {

using Kind = config::StringMatcher::Kind;
using HeaderKind = config::HeaderMatcher::Kind;

bool matches(Kind kind, std::string value, std::string_view text, bool ignore_case = false) {
  return StringMatcher::compile({kind, std::move(value), ignore_case})->matches(text);
}

TEST(StringMatcher, Kinds) {
  EXPECT_TRUE(matches(Kind::kExact, "abc", "abc"));
  EXPECT_FALSE(matches(Kind::kExact, "abc", "ABC"));
  EXPECT_TRUE(matches(Kind::kExact, "abc", "ABC", true));
  EXPECT_TRUE(matches(Kind::kPrefix, "ab", "abc"));
  EXPECT_FALSE(matches(Kind::kPrefix, "ab", "a"));
  EXPECT_TRUE(matches(Kind::kPrefix, "AB", "abc", true));
  EXPECT_TRUE(matches(Kind::kSuffix, "bc", "abc"));
  EXPECT_TRUE(matches(Kind::kSuffix, "BC", "abc", true));
  EXPECT_FALSE(matches(Kind::kSuffix, "abcd", "abc", true));
  EXPECT_TRUE(matches(Kind::kContains, "b", "abc"));
  EXPECT_TRUE(matches(Kind::kContains, "B", "abc", true));
  EXPECT_FALSE(matches(Kind::kContains, "x", "abc", true));
}

TEST(StringMatcher, RegexIsAFullMatch) {
  EXPECT_TRUE(matches(Kind::kSafeRegex, "a.c", "abc"));
  EXPECT_FALSE(matches(Kind::kSafeRegex, "a.c", "abcd"));
}

TEST(StringMatcher, ABadRegexIsAnError) {
  const auto result = StringMatcher::compile({Kind::kSafeRegex, "a(", false});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(result.error().message.find("'a('"), std::string::npos);
}

struct HeaderCase {
  const char* what;
  config::HeaderMatcher matcher;
  std::vector<std::string> values;
  bool expected;
};

config::HeaderMatcher header(HeaderKind kind, std::string exact = "", bool invert = false, bool empty = false) {
  config::HeaderMatcher m;
  m.name = "x-h";
  m.kind = kind;
  m.string.value = std::move(exact);
  m.invert = invert;
  m.treat_missing_as_empty = empty;
  m.range_start = 10;
  m.range_end = 20;
  return m;
}

config::HeaderMatcher absent() {
  auto m = header(HeaderKind::kPresent);
  m.present = false;
  return m;
}

TEST(HeaderMatcher, Cases) {
  const HeaderCase cases[] = {
      {"present", header(HeaderKind::kPresent), {"v"}, true},
      {"present, missing", header(HeaderKind::kPresent), {}, false},
      {"present inverted, missing", header(HeaderKind::kPresent, "", true), {}, true},
      {"absent, missing", absent(), {}, true},
      {"absent, there", absent(), {"v"}, false},
      {"exact", header(HeaderKind::kString, "v"), {"v"}, true},
      {"exact, other", header(HeaderKind::kString, "v"), {"w"}, false},
      {"exact inverted", header(HeaderKind::kString, "v", true), {"w"}, true},
      {"exact inverted, missing", header(HeaderKind::kString, "v", true), {}, false},
      {"exact inverted, missing is empty", header(HeaderKind::kString, "v", true, true), {}, true},
      {"exact empty, missing is empty", header(HeaderKind::kString, "", false, true), {}, true},
      {"two values are joined", header(HeaderKind::kString, "a,b"), {"a", "b"}, true},
      {"range, first", header(HeaderKind::kRange), {"10"}, true},
      {"range, end is out", header(HeaderKind::kRange), {"20"}, false},
      {"range, not a number", header(HeaderKind::kRange), {"12x"}, false},
  };
  for (const HeaderCase& c : cases) {
    http::HeaderMap headers;
    for (const auto& value : c.values) headers.add("x-h", value);
    EXPECT_EQ(HeaderMatcher::compile(c.matcher)->matches(headers), c.expected) << c.what;
  }
}

TEST(QueryParameterMatcher, Cases) {
  const auto present = QueryParameterMatcher::compile({"a", std::nullopt}).value();
  EXPECT_TRUE(present.matches("a"));
  EXPECT_TRUE(present.matches("b=1&a=2"));
  EXPECT_FALSE(present.matches("ab=1"));
  EXPECT_FALSE(present.matches(""));
  const auto exact = QueryParameterMatcher::compile({"a", config::StringMatcher{Kind::kExact, "1", false}}).value();
  EXPECT_TRUE(exact.matches("x&a=1"));
  EXPECT_FALSE(exact.matches("a=2&a=1"));
  EXPECT_FALSE(exact.matches("a"));
}

}  // namespace
}  // namespace inlay::match
