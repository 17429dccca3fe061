// SPDX-License-Identifier: Apache-2.0
#pragma once

// Every message, field and enum of the Envoy v3 API that a static bootstrap can reach (envoy_fields.json, compiled in).
// It lets the loader tell "Envoy has no such field" from "Inlay does not support it yet". Immutable and thread-safe.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace inlay::config {

struct MessageType;

struct EnumType {
  std::string name;  // "envoy.config.cluster.v3.Cluster.LbPolicy"
  std::vector<std::pair<std::string, int32_t>> values;
};

// FieldKind is a field's type as the loader reads it. Wrappers (UInt32Value ...) are their scalar with `wrapper` set.
enum class FieldKind : uint8_t {
  kBool,
  kInt32,
  kInt64,
  kUint32,
  kUint64,
  kDouble,
  kString,
  kBytes,
  kEnum,
  kDuration,
  kMessage,
  kAny,     // google.protobuf.Any: a message named by "@type"
  kStruct,  // google.protobuf.Struct: any JSON object
  kValue,   // google.protobuf.Value: any JSON
};

struct FieldType {
  std::string name;       // "port_value"
  std::string json_name;  // "portValue"
  std::string type;       // as in the table, for messages to people
  FieldKind kind = FieldKind::kString;
  const MessageType* message = nullptr;   // kMessage
  const EnumType* enumeration = nullptr;  // kEnum
  bool wrapper = false;                   // has presence: unset is not the default value
  bool repeated = false;
  bool map = false;  // map<string, kind>
  bool deprecated = false;
  std::string oneof;
};

struct MessageType {
  std::string name;  // "envoy.config.cluster.v3.Cluster"
  std::vector<FieldType> fields;

  // By snake_case or lowerCamelCase name; nullptr when Envoy has no such field.
  const FieldType* find(std::string_view field) const;
};

// nullptr when the table has no such message.
const MessageType* find_message(std::string_view name);
// All messages, by name.
const std::map<std::string, MessageType, std::less<>>& all_messages();

// The nearest of `candidates` to a misspelt `word`, "" when none is near: a third of its letters, `furthest` at most.
std::string nearest(std::string_view word, const std::vector<std::string_view>& candidates, size_t furthest = 100);

}  // namespace inlay::config
