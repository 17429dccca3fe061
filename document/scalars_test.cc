// SPDX-License-Identifier: Apache-2.0
#include "document/scalars.h"

#include <gtest/gtest.h>

#include <limits>

namespace inlay::document {
namespace {

using std::chrono::nanoseconds;

TEST(ParseBool, TakesYamlsWordsOnly) {
  for (const char* yes : {"true", "True", "TRUE", "yes", "Yes", "on", "ON", "y", "Y"}) EXPECT_EQ(parse_bool(yes), true);
  for (const char* no : {"false", "No", "OFF", "n"}) EXPECT_EQ(parse_bool(no), false);
  for (const char* word : {"", "tRUE", "1", "0", "oN", "truee", " true"}) EXPECT_EQ(parse_bool(word), std::nullopt);
}

TEST(ParseInt, ReadsAllBasesUpToTheLimits) {
  EXPECT_EQ(parse_int("0"), 0);
  EXPECT_EQ(parse_int("-5"), -5);
  EXPECT_EQ(parse_int("+5"), 5);
  EXPECT_EQ(parse_int("0x1F"), 31);
  EXPECT_EQ(parse_int("010"), 8);
  EXPECT_EQ(parse_int("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(parse_int("-9223372036854775808"), std::numeric_limits<int64_t>::min());
  for (const char* text :
       {"", "-", "+", "9223372036854775808", "-9223372036854775809", "1.0", "1 ", "09", "--1", "-+1", "0x", "1e3"})
    EXPECT_EQ(parse_int(text), std::nullopt) << text;
  EXPECT_EQ(parse_uint("18446744073709551615"), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(parse_uint("-1"), std::nullopt);
}

TEST(ParseDouble, ReadsDecimalNumbersOnly) {
  EXPECT_EQ(parse_double("0.25"), 0.25);
  EXPECT_EQ(parse_double("-1e3"), -1000.0);
  EXPECT_EQ(parse_double(".5"), 0.5);
  for (const char* text : {"", "-", "nan", "inf", ".inf", "1.2.3", "0.25s", "e3"})
    EXPECT_EQ(parse_double(text), std::nullopt) << text;
}

TEST(ParseDuration, ReadsProto3Json) {
  EXPECT_EQ(parse_duration("15s"), std::chrono::seconds(15));
  EXPECT_EQ(parse_duration("0.25s"), std::chrono::milliseconds(250));
  EXPECT_EQ(parse_duration("1.000000001s"), nanoseconds(1'000'000'001));
  EXPECT_EQ(parse_duration("-0.5s"), std::chrono::milliseconds(-500));
  for (const char* text : {"", "s", "15", "1m", "1.s", ".5s", "1.0000000001s", "1e3s", " 1s", "99999999999s", "+1s"})
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(ParseBase64, TakesBothAlphabetsWithAndWithoutPadding) {
  EXPECT_EQ(parse_base64("aGVsbG8="), "hello");
  EXPECT_EQ(parse_base64("aGVsbG8"), "hello");
  EXPECT_EQ(parse_base64("-_8="), "\xfb\xff");
  EXPECT_EQ(parse_base64("+/8="), "\xfb\xff");
  EXPECT_EQ(parse_base64(""), "");
  for (const char* text : {"a", "a b=", "*"}) EXPECT_EQ(parse_base64(text), std::nullopt) << text;
}

TEST(Utf8Length, RejectsOverlongSurrogatesAndCutCharacters) {
  EXPECT_EQ(utf8_length("a"), 1u);
  EXPECT_EQ(utf8_length("\xc3\xa9"), 2u);
  EXPECT_EQ(utf8_length("\xe2\x82\xac"), 3u);
  EXPECT_EQ(utf8_length("\xf0\x9f\x98\x80"), 4u);
  for (const char* text : {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf5"})
    EXPECT_EQ(utf8_length(text), 0u);
}

TEST(JoinSurrogates, MakesOneEscapeOfAPair) {
  EXPECT_EQ(join_surrogates(R"("\ud83d\ude00")"), R"("\U0001F600")");
  EXPECT_EQ(join_surrogates(R"("\\ud83d\ude00")"), R"("\\ud83d\ude00")");
  EXPECT_EQ(join_surrogates(R"("\ud83d")"), R"("\ud83d")");
  EXPECT_EQ(join_surrogates("\\"), "\\");
}

TEST(Quote, ShortensAtACharacter) {
  EXPECT_EQ(quote("a\nb"), "`a\\nb`");
  const std::string text = std::string(79, 'x') + "\xe2\x82\xac" + "more";
  EXPECT_EQ(quote(text), "`" + std::string(79, 'x') + "...`");
}

}  // namespace
}  // namespace inlay::document
