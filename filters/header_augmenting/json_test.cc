// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/json.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace inlay::header_augmenting {
namespace {

// print: the value back as text, to compare whole trees.
std::string print(const Json& json, const Json::Node& node) {
  switch (node.type) {
    case Json::Type::kNull:
      return "null";
    case Json::Type::kFalse:
      return "false";
    case Json::Type::kTrue:
      return "true";
    case Json::Type::kNumber:
      return std::string(node.text);
    case Json::Type::kString:
      return "'" + std::string(node.text) + "'";
    default:
      break;
  }
  std::string text(1, node.type == Json::Type::kArray ? '[' : '{');
  for (const Json::Node* n = json.first(node); n != nullptr; n = json.next(*n)) {
    if (n != json.first(node)) text += ',';
    if (node.type == Json::Type::kObject) text += std::string(n->key) + ':';
    text += print(json, *n);
  }
  return text + (node.type == Json::Type::kArray ? ']' : '}');
}

std::string parse(std::string_view text) {
  auto json = Json::parse(text);
  return json ? print(*json, json->root()) : "error at " + std::to_string(json.error().offset);
}

TEST(Json, KeepsTheTree) {
  EXPECT_EQ(parse(R"({"a":"1","b":{"c":[1,-2.5e3,null,{}],"d":true},"e":[],"f":false})"),
            "{a:'1',b:{c:[1,-2.5e3,null,{}],d:true},e:[],f:false}");
  EXPECT_EQ(parse(" \n\"x\" "), "'x'");
  EXPECT_EQ(parse(R"([[[]],[{"":0}]])"), "[[[]],[{:0}]]");
}

TEST(Json, DecodesEscapes) {
  EXPECT_EQ(parse(R"("\"\\\/\b\f\n\r\tA\u00e9\ud83d\ude00")"), "'\"\\/\b\f\n\r\tA\u00e9\U0001F600'");
  EXPECT_EQ(parse(R"("\u0000")"), std::string("'\0'", 3));
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* text :
       {"",       " ",   "{",    "}",       "[1,]",     "{\"a\":}",  "{\"a\" 1}", "{a:1}",       "'a'",
        "01",     "1.",  "+1",   "nul",     "\"\x01\"", "\"\xff\"",  "\"\xc3\"",  "\"\\ud800\"", "\"\\x\"",
        "\"open", "1 2", "{} x", "// c\n1", "NaN",      "{\"a\":1,}"}) {
    EXPECT_FALSE(Json::parse(text)) << text;
  }
}

TEST(Json, NestingIsBounded) {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(Json::parse(nested(Json::kMaxDepth)));
  EXPECT_FALSE(Json::parse(nested(Json::kMaxDepth + 1)));
  EXPECT_FALSE(Json::parse(std::string(1'000'000, '[')));
}

TEST(Json, AnyBytesAreSafe) {
  const std::string whole = R"({"a":"1\u00e9","b":{"c":[1,-2.5e3,null,{}],"d":true},"e":"\ud83d\ude00"})";
  std::mt19937 random(11);
  for (int i = 0; i < 20'000; ++i) {
    std::string text = whole;
    for (int n = 0; n < 3; ++n) text[random() % text.size()] = "\"\\{}[]:,u0d\xff\x00"[random() % 13];
    text.resize(random() % (text.size() + 1));
    if (auto json = Json::parse(text)) print(*json, json->root());
  }
}

}  // namespace
}  // namespace inlay::header_augmenting
