// SPDX-License-Identifier: Apache-2.0
#include "filters/header_augmenting/json.h"

#include <array>
#include <cstring>

// What RapidJSON takes for granted would stop the VM, never go on with a wrong state.
#define RAPIDJSON_ASSERT(x) ((x) ? static_cast<void>(0) : __builtin_trap())
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

namespace inlay::header_augmenting {

// JsonBuilder receives the reader's events and appends nodes; children follow their parent directly.
class JsonBuilder {
 public:
  JsonBuilder(Json& json, char* arena) : json_(json), arena_(arena) {}

  bool Null() { return leaf(Json::Type::kNull, {}); }
  bool Bool(bool value) { return leaf(value ? Json::Type::kTrue : Json::Type::kFalse, {}); }
  bool RawNumber(const char* text, unsigned size, bool) { return leaf(Json::Type::kNumber, keep(text, size)); }
  bool String(const char* text, unsigned size, bool) { return leaf(Json::Type::kString, keep(text, size)); }
  bool Key(const char* text, unsigned size, bool) {
    key_ = keep(text, size);
    return true;
  }
  bool StartObject() { return open(Json::Type::kObject); }
  bool StartArray() { return open(Json::Type::kArray); }
  bool EndObject(unsigned) { return close(); }
  bool EndArray(unsigned) { return close(); }
  // Numbers arrive as text only.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(int64_t) { return false; }
  bool Uint64(uint64_t) { return false; }
  bool Double(double) { return false; }

 private:
  std::string_view keep(const char* text, size_t size) {
    char* const at = arena_;
    if (size != 0) std::memcpy(at, text, size);
    arena_ += size;
    return {at, size};
  }

  bool leaf(Json::Type type, std::string_view text) {
    const uint32_t index = static_cast<uint32_t>(json_.nodes_.size());
    if (depth_ > 0) {
      uint32_t& last = last_child_[depth_ - 1];
      if (last == 0)
        json_.nodes_[parents_[depth_ - 1]].has_children = true;
      else
        json_.nodes_[last].next = index;
      last = index;
    }
    json_.nodes_.push_back({.key = key_, .text = text, .type = type});
    key_ = {};
    return true;
  }

  bool open(Json::Type type) {
    if (depth_ == Json::kMaxDepth) return false;
    const uint32_t index = static_cast<uint32_t>(json_.nodes_.size());
    leaf(type, {});
    parents_[depth_] = index;
    last_child_[depth_] = 0;
    ++depth_;
    return true;
  }

  bool close() {
    --depth_;
    return true;
  }

  Json& json_;
  char* arena_;
  std::string_view key_;
  size_t depth_ = 0;
  std::array<uint32_t, Json::kMaxDepth> parents_{};
  std::array<uint32_t, Json::kMaxDepth> last_child_{};  // 0: none yet, as node 0 is the root
};

Result<Json, Json::ParseError> Json::parse(std::string_view text) {
  Json json;
  json.text_ = sdk::Bytes::allocate(text.size());
  if (json.text_.data() == nullptr) return ParseError{};
  JsonBuilder builder(json, json.text_.data());
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>> reader;
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseValidateEncodingFlag;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
  if (result.IsError() || json.nodes_.empty()) return ParseError{result.Offset()};
  return json;
}

const char* Json::type_name(Type type) {
  static constexpr const char* kNames[] = {"null", "false", "true", "a number", "a string", "an array", "an object"};
  return kNames[static_cast<size_t>(type)];
}

}  // namespace inlay::header_augmenting
