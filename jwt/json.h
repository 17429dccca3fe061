// SPDX-License-Identifier: Apache-2.0
#pragma once

// JSON objects of tokens and key sets, which anybody may have made. Pure functions.

#include <rapidjson/document.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace inlay::jwt {

constexpr size_t kDeepestJson = 64;  // objects and arrays in each other

// Reads an object; false if the text is none, is not UTF-8, nests deeper than kDeepestJson, or has an object with the
// same key twice (of which readers would take different ones), as Envoy refuses it.
bool read_object(std::string_view text, rapidjson::Document& out);

// A member, nullptr if there is none.
const rapidjson::Value* member(const rapidjson::Value& object, std::string_view name);
// A string's text.
inline std::string_view text_of(const rapidjson::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}
// As JSON text, without white space.
std::string to_text(const rapidjson::Value& value);

}  // namespace inlay::jwt
