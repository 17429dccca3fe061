// SPDX-License-Identifier: Apache-2.0
#include "config/field_table.h"
#include "base/ascii.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <cctype>

namespace inlay::config {

// Made from envoy_fields.json when the build is configured (cmake/EmbedText.cmake).
extern const std::string_view kEnvoyFieldsJson;

namespace {

struct Table {
  std::map<std::string, MessageType, std::less<>> messages;
  std::map<std::string, EnumType, std::less<>> enums;
};

std::string to_camel(std::string_view snake) {
  std::string out;
  bool upper = false;
  for (char c : snake) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = false;
  }
  return out;
}

struct KnownType {
  std::string_view name;
  FieldKind kind;
  bool wrapper;
};
constexpr KnownType kKnownTypes[] = {
    {"bool", FieldKind::kBool, false},
    {"int32", FieldKind::kInt32, false},
    {"int64", FieldKind::kInt64, false},
    {"uint32", FieldKind::kUint32, false},
    {"uint64", FieldKind::kUint64, false},
    {"double", FieldKind::kDouble, false},
    {"float", FieldKind::kDouble, false},
    {"string", FieldKind::kString, false},
    {"bytes", FieldKind::kBytes, false},
    {"google.protobuf.BoolValue", FieldKind::kBool, true},
    {"google.protobuf.Int32Value", FieldKind::kInt32, true},
    {"google.protobuf.Int64Value", FieldKind::kInt64, true},
    {"google.protobuf.UInt32Value", FieldKind::kUint32, true},
    {"google.protobuf.UInt64Value", FieldKind::kUint64, true},
    {"google.protobuf.DoubleValue", FieldKind::kDouble, true},
    {"google.protobuf.FloatValue", FieldKind::kDouble, true},
    {"google.protobuf.StringValue", FieldKind::kString, true},
    {"google.protobuf.BytesValue", FieldKind::kBytes, true},
    {"google.protobuf.Duration", FieldKind::kDuration, true},
    {"google.protobuf.Any", FieldKind::kAny, true},
    {"google.protobuf.Struct", FieldKind::kStruct, true},
    {"google.protobuf.Empty", FieldKind::kStruct, true},
    {"google.protobuf.Value", FieldKind::kValue, true},
};

void set_type(FieldType& field, Table& table, std::string type) {
  for (const KnownType& known : kKnownTypes) {
    if (known.name == type) {
      field.kind = known.kind;
      field.wrapper = known.wrapper;
      field.type = std::move(type);
      return;
    }
  }
  if (auto it = table.enums.find(type); it != table.enums.end()) {
    field.kind = FieldKind::kEnum;
    field.enumeration = &it->second;
  } else if (auto message = table.messages.find(type); message != table.messages.end()) {
    field.kind = FieldKind::kMessage;
    field.wrapper = true;
    field.message = &message->second;
  } else {
    field.kind = FieldKind::kValue;
    field.wrapper = true;
  }
  field.type = std::move(type);
}

FieldType read_field(const char* name, const rapidjson::Value& json, Table& table) {
  FieldType field;
  field.name = name;
  field.json_name = to_camel(field.name);
  field.repeated = json.HasMember("repeated");
  field.deprecated = json.HasMember("deprecated");
  field.map = json.HasMember("map");
  if (json.HasMember("oneof")) field.oneof = json["oneof"].GetString();
  set_type(field, table, json[field.map ? "map" : "type"].GetString());
  return field;
}

Table read_table() {
  Table table;
  rapidjson::Document parsed;
  parsed.Parse(kEnvoyFieldsJson.data(), kEnvoyFieldsJson.size());
  const rapidjson::Document& document = parsed;
  for (const auto& entry : document["enums"].GetObject()) {
    EnumType& type = table.enums[entry.name.GetString()];
    type.name = entry.name.GetString();
    for (const auto& value : entry.value.GetObject())
      type.values.emplace_back(value.name.GetString(), value.value.GetInt());
  }
  for (const auto& entry : document["messages"].GetObject()) {
    table.messages[entry.name.GetString()].name = entry.name.GetString();
  }
  for (const auto& entry : document["messages"].GetObject()) {
    MessageType& message = table.messages[entry.name.GetString()];
    for (const auto& field : entry.value.GetObject())
      message.fields.push_back(read_field(field.name.GetString(), field.value, table));
  }
  return table;
}

const Table& table() {
  static const Table instance = read_table();
  return instance;
}

}  // namespace

const FieldType* MessageType::find(std::string_view field) const {
  for (const FieldType& candidate : fields)
    if (candidate.name == field || candidate.json_name == field) return &candidate;
  return nullptr;
}

const MessageType* find_message(std::string_view name) {
  auto it = table().messages.find(name);
  return it == table().messages.end() ? nullptr : &it->second;
}

const std::map<std::string, MessageType, std::less<>>& all_messages() {
  return table().messages;
}

namespace {

// Levenshtein's distance over lower-case letters and digits only, so that camelCase meets snake_case.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string fold(std::string_view word) {
  std::string out;
  for (char c : word)
    if (c != '_' && c != '-') out += to_lower(c);
  return out;
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates, size_t furthest) {
  if (word.size() > 100) return "";
  const std::string folded = fold(word);
  size_t best = std::min(folded.size() / 3, furthest) + 1;
  std::string_view found;
  for (std::string_view candidate : candidates) {
    const size_t d = distance(folded, fold(candidate));
    if (d < best || (d == best && found.empty() && d <= furthest && d * 2 <= folded.size())) {
      best = d;
      found = candidate;
    }
  }
  return std::string(found);
}

}  // namespace inlay::config
