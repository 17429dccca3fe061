// SPDX-License-Identifier: Apache-2.0
#pragma once

// The keys of a values file, declared once: the reader, its messages and docs/reference/deploy_values.md are made from
// this table. It becomes message types of config/tree.h, whose checker reports unknown keys, wrong types and
// conflicts with their place.

#include <span>
#include <string_view>

#include "config/field_table.h"
#include "deploy/render/forms.h"

namespace inlay::deploy {

using config::FieldKind;

enum class Shape : uint8_t { kOne, kList, kMap };

struct FieldSpec {
  std::string_view name;
  FieldKind kind = FieldKind::kString;
  Form form = Form::kText;
  std::string_view help;            // for the reference; starts in lower case, no full stop
  std::string_view otherwise = {};  // what counts when it is left out, for the reference
  bool required = false;
  Shape shape = Shape::kOne;
  std::string_view type = {};   // of a kMessage or kEnum: its name in this table
  std::string_view oneof = {};  // at most one of the fields that share a name can be set
  Form key = Form::kText;       // Shape::kMap: of its keys
};

struct MessageSpec {
  std::string_view name;  // "module", as in "no such field in module"
  std::string_view help;  // a sentence
  std::span<const FieldSpec> fields;
};

struct EnumSpec {
  std::string_view name;
  std::span<const std::string_view> values;
};

// In the order of the reference; the first is the file itself.
std::span<const MessageSpec> value_messages();
std::span<const EnumSpec> value_enums();
// nullptr when there is none.
const FieldSpec* find_field_spec(std::string_view message, std::string_view field);
const MessageSpec* find_message_spec(std::string_view message);

// The type of the whole file.
const config::MessageType& values_type();

}  // namespace inlay::deploy
