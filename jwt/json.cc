// SPDX-License-Identifier: Apache-2.0
#include "jwt/json.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <vector>

namespace inlay::jwt {
namespace {

bool nests_too_deeply(std::string_view text) {
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepestJson) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

// It nests kDeepestJson deep at most.
bool has_key_twice(const rapidjson::Value& value) {
  if (value.IsArray()) {
    const auto items = value.GetArray();
    return std::any_of(items.begin(), items.end(), has_key_twice);
  }
  if (!value.IsObject()) return false;
  std::vector<std::string_view> names;
  for (const auto& entry : value.GetObject()) {
    if (has_key_twice(entry.value)) return true;
    names.push_back(text_of(entry.name));
  }
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

}  // namespace

bool read_object(std::string_view text, rapidjson::Document& out) {
  // Not kParseFullPrecisionFlag, whose code counts the leading zeros of a zero for some numbers, which is undefined.
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  if (nests_too_deeply(text)) return false;
  out.Parse<kFlags>(text.data(), text.size());
  return !out.HasParseError() && out.IsObject() && !has_key_twice(out);
}

const rapidjson::Value* member(const rapidjson::Value& object, std::string_view name) {
  for (const auto& entry : object.GetObject())
    if (text_of(entry.name) == name) return &entry.value;
  return nullptr;
}

std::string to_text(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace inlay::jwt
