// SPDX-License-Identifier: Apache-2.0
#include "jwt/json.h"

#include <gtest/gtest.h>

namespace inlay::jwt {
namespace {

bool reads(std::string_view text) {
  rapidjson::Document document;
  return read_object(text, document);
}

std::string nested(size_t depth) {
  return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
}

TEST(Json, TakesObjectsAlone) {
  EXPECT_TRUE(reads("{}"));
  EXPECT_TRUE(reads(R"( {"a": [1, {"b": null}]} )"));
  for (const char* text : {"", "[]", "1", "\"a\"", "{", "{}x", "{'a': 1}", "{\"a\": 1,}", "{\"a\": NaN}",
                           "{\"a\": 1e999}", "{\"a\": \"\xff\"}", "{\"a\": \"\n\"}"})
    EXPECT_FALSE(reads(text)) << text;
}

TEST(Json, TakesNoKeyTwice) {
  EXPECT_FALSE(reads(R"({"sub": "a", "sub": "b"})"));
  EXPECT_FALSE(reads(R"({"a": {"b": 1, "c": 2, "b": 3}})"));
  EXPECT_FALSE(reads(R"({"a": [{}, {"b": 1, "\u0062": 2}]})"));
  EXPECT_TRUE(reads(R"({"a": {"a": 1}})"));
}

// A fuzzer found that RapidJSON's exact reading of numbers counts the leading zeros of zero for such.
TEST(Json, AZeroOfManyDigits) {
  for (const char* number : {"0.0e300", "0.00000000000000000000000000000000000000000000000000", "0e-400",
                             "0.000000000000000000000000000000000000000000000000000000000000000000e-330"})
    EXPECT_TRUE(reads(std::string("{\"a\":") + number + "}")) << number;
}

TEST(Json, NestsOnlySoDeep) {
  EXPECT_TRUE(reads(nested(kDeepestJson)));
  EXPECT_FALSE(reads(nested(kDeepestJson + 1)));
  EXPECT_TRUE(reads("{\"a\": \"" + std::string(1000, '[') + "\\\"[\"}")) << "in a string it is no nesting";
  EXPECT_FALSE(reads(std::string(1'000'000, '[')));
}

}  // namespace
}  // namespace inlay::jwt
