// SPDX-License-Identifier: Apache-2.0
#include "tester/textpb/text_format.h"

#include <gtest/gtest.h>

namespace inlay::tester::textpb {
namespace {

using Kind = TextField::Kind;

TextMessage read(std::string_view text) {
  auto message = read_text_format(text, "x.textpb");
  EXPECT_TRUE(message) << message.error().to_string();
  return message ? *std::move(message) : TextMessage{};
}

// "x.textpb:2: what is wrong"
std::string mistake(std::string_view text) {
  const auto message = read_text_format(text, "x.textpb");
  return message ? "" : message.error().where + ": " + message.error().message;
}

TEST(TextFormat, ReadsFieldsOfEveryKindWithTheirLines) {
  const TextMessage message = read("a: \"text\"\nb: -1.5e+3\nc: WORD\nd { e: 0x1F }\nf: < g: true >");
  ASSERT_EQ(message.fields.size(), 5u);
  EXPECT_EQ(message.fields[0].text, "text");
  EXPECT_EQ(message.fields[0].kind, Kind::kString);
  EXPECT_EQ(message.fields[1].text, "-1.5e+3");
  EXPECT_EQ(message.fields[1].kind, Kind::kNumber);
  EXPECT_EQ(message.fields[2].text, "WORD");
  EXPECT_EQ(message.fields[3].message.fields.at(0).text, "0x1F");
  EXPECT_EQ(message.fields[4].message.fields.at(0).name, "g");
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(message.fields[i].line, i + 1);
}

TEST(TextFormat, AListIsAFieldForEachItem) {
  const TextMessage message = read("a: [1, 2,\n 3] b: [] c [{d: 1}, {}]");
  ASSERT_EQ(message.fields.size(), 5u);
  EXPECT_EQ(message.fields[2].text, "3");
  EXPECT_EQ(message.fields[2].line, 2u);
  EXPECT_EQ(message.fields[4].name, "c");
}

TEST(TextFormat, StringsHaveEscapesAndGoOnInTheNext) {
  EXPECT_EQ(read(R"(a: "x\n\t\"\\\'" 'y"')").fields[0].text, "x\n\t\"\\'y\"");
  EXPECT_EQ(read(R"(a: "\101\0\x41\x4\u00e4\u20ac\U0001f600")").fields[0].text,
            std::string("A\0A\x04\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 13));
}

TEST(TextFormat, CommentsAndSeparatorsAreNothing) {
  EXPECT_EQ(read("# a: 1\n a: 2, b: 3; # end").fields.size(), 2u);
  EXPECT_TRUE(read("").fields.empty());
}

TEST(TextFormat, MistakesSayWhereWhatAndWhatWouldBeRight) {
  EXPECT_EQ(mistake("a: 1\nb"), "x.textpb:2: behind `b` the file ends; `b: VALUE` or `b { ... }` would be a field");
  EXPECT_EQ(mistake("a 5"), "x.textpb:1: behind `a` `5` stands; `a: VALUE` or `a { ... }` would be a field");
  EXPECT_EQ(mistake("a {\n b: 1\n"), "x.textpb:1: this message does not end: a `}` is missing");
  EXPECT_EQ(mistake("}"), "x.textpb:1: `}` stands where a field's name has to");
  EXPECT_EQ(mistake("a: }"), "x.textpb:1: behind `a:` `}` stands where a value has to");
  EXPECT_EQ(mistake("a: 'x\n'"),
            "x.textpb:1: this string does not end on its line: a ' is missing; a line end in it is \\n");
  EXPECT_EQ(mistake(R"(a: "\q")"), R"(x.textpb:1: `\q` is no escape; a backslash itself is \\)");
  EXPECT_EQ(mistake(R"(a: "\xg")"), R"(x.textpb:1: \x needs one or two hexadecimal digits behind it)");
  EXPECT_NE(mistake(R"(a: "\u12")").find("four hexadecimal digits"), std::string::npos);
  EXPECT_EQ(mistake("a: [1 2]"), "x.textpb:1: in the list of `a` `2` stands where `,` or `]` has to");
  EXPECT_NE(mistake("[a.b]: 1").find("extensions"), std::string::npos);
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "a {";
  EXPECT_NE(mistake(deep).find("nested more than 100 deep"), std::string::npos);
}

}  // namespace
}  // namespace inlay::tester::textpb
