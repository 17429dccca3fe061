// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/json.h"

#include <gtest/gtest.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

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
  Json json;
  return json.parse(text) ? print(json, json.root()) : "error at " + std::to_string(json.error_at());
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
    EXPECT_FALSE(Json().parse(text)) << text;
  }
}

TEST(Json, NestingIsBounded) {
  const auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(Json().parse(nested(Json::kMaxDepth)));
  EXPECT_FALSE(Json().parse(nested(Json::kMaxDepth + 1)));
  EXPECT_FALSE(Json().parse(std::string(1'000'000, '[')));
}

// Printer: what RapidJSON reads, printed as print() does.
struct Printer : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Printer> {
  bool value(std::string_view before, std::string_view text, std::string_view after) {
    if (!out.empty() && out.back() != ':' && !open) out += ',';
    open = false;
    ((out += before) += text) += after;
    return true;
  }
  bool begin(std::string_view bracket) {
    value("", bracket, "");
    return open = true;
  }
  bool end(std::string_view bracket) {
    out += bracket;
    open = false;
    return true;
  }
  bool Null() { return value("", "null", ""); }
  bool Bool(bool truth) { return value("", truth ? "true" : "false", ""); }
  bool RawNumber(const char* text, unsigned size, bool) { return value("", {text, size}, ""); }
  bool String(const char* text, unsigned size, bool) { return value("'", {text, size}, "'"); }
  bool Key(const char* text, unsigned size, bool) { return value("", {text, size}, ":"); }
  bool StartObject() { return begin("{"); }
  bool EndObject(unsigned) { return end("}"); }
  bool StartArray() { return begin("["); }
  bool EndArray(unsigned) { return end("]"); }

  std::string out;
  bool open = false;
};

std::string parse_with_rapidjson(std::string_view text) {
  Printer printer;
  rapidjson::Reader reader;
  rapidjson::MemoryStream stream(text.data(), text.size());
  constexpr unsigned kFlags = rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseValidateEncodingFlag;
  return reader.Parse<kFlags>(stream, printer) ? printer.out : "error";
}

// But for a number above the largest double, which RapidJSON refuses and the text here cannot come to, and for a lone
// low surrogate, which RapidJSON 1.1.0 lets through as bytes that are no UTF-8.
TEST(Json, AgreesWithRapidJsonOnAnyBytes) {
  const std::string whole =
      R"({"a":"1\u00e9\n","b":{"c":[1,-2.5,null,{},[]],"d":true},"e":"\ud83d\ude00 \u07ff\uffff","f":false})"
      "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80";
  std::mt19937 random(11);
  int read = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text = whole.substr(0, whole.size() - 11);
    for (unsigned n = random() % 3; n != 0; --n) {
      const size_t at = random() % text.size();
      if (random() % 2 == 0)
        text[at] = "\"\\{}[]:,.-u0d19\xff\x7f\xed\xa0"[random() % 19];
      else
        text.insert(at, whole, random() % whole.size(), 1 + random() % 4);
    }
    if (random() % 8 == 0) text.resize(random() % (text.size() + 1));
    const std::string ours = parse(text);
    std::string theirs = parse_with_rapidjson(text);
    for (size_t at = 0; (at = theirs.find('\xed', at)) != std::string::npos; ++at) {
      if (static_cast<unsigned char>(theirs[at + 1]) >= 0xa0) theirs = "error";
    }
    ASSERT_EQ(ours.substr(0, 5) == "error" ? "error" : ours, theirs) << text;
    read += ours.substr(0, 5) != "error";
  }
  EXPECT_GT(read, 10'000);
}

TEST(Json, Utf8IsReadAsItIs) {
  EXPECT_EQ(parse("\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \\u00e9 \\u20ac\""),
            "'\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \xc3\xa9 \xe2\x82\xac'");
  for (const char* text : {"\"\xc0\x80\"", "\"\xe0\x80\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xf5\"",
                           "\"\x80\"", "\"\xe2\x82\""}) {
    EXPECT_FALSE(Json().parse(text)) << text;
  }
}

}  // namespace
}  // namespace inlay::header_augmenting
