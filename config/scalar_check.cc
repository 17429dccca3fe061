// SPDX-License-Identifier: Apache-2.0
#include "config/scalar_check.h"
#include "base/ascii.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "document/scalars.h"

namespace inlay::config {

ScalarType scalar_type(const document::Source& source) {
  if (source.kind == document::Source::Kind::kNull) return ScalarType::kNull;
  if (source.quoted) return ScalarType::kString;
  if (document::parse_bool(source.text)) return ScalarType::kBool;
  if (document::parse_int(source.text)) return ScalarType::kInt;
  if (document::parse_double(source.text)) return ScalarType::kDouble;
  return ScalarType::kString;
}

std::string describe(const document::Source& source, bool show) {
  switch (source.kind) {
    case document::Source::Kind::kNull:
      return "null";
    case document::Source::Kind::kList:
      return "a list";
    case document::Source::Kind::kMap:
      return "a map";
    case document::Source::Kind::kScalar:
      break;
  }
  const std::string text = show ? " " + document::quote(source.text) : "";
  switch (scalar_type(source)) {
    case ScalarType::kBool:
      return (show ? "the boolean" : "a boolean") + text;
    case ScalarType::kInt:
    case ScalarType::kDouble:
      return (show ? "the number" : "a number") + text;
    default:
      return (show ? "the string" : "a string") + text;
  }
}

namespace {

// Fields whose values are not shown in messages, because they may be secrets.
bool may_be_shown(const TreeNode& node) {
  static constexpr std::string_view kHidden[] = {"inline_string", "inline_bytes", "key_values",
                                                 "value",         "raw_value",    "configuration"};
  return node.field == nullptr ||
         std::find(std::begin(kHidden), std::end(kHidden), node.field->name) == std::end(kHidden);
}

std::string expected(std::string_view what, const TreeNode& node, const document::Source& source) {
  return "expected " + std::string(what) + ", found " + describe(source, may_be_shown(node));
}

// An integral number written as 5, "5", 5.0 or 5e3: what proto3's JSON takes.
template <class T>
std::optional<T> integral(const document::Source& source) {
  if constexpr (std::is_signed_v<T>) {
    if (auto value = document::parse_int(source.text);
        value && *value >= std::numeric_limits<T>::min() && *value <= std::numeric_limits<T>::max())
      return static_cast<T>(*value);
  } else {
    if (auto value = document::parse_uint(source.text); value && *value <= std::numeric_limits<T>::max())
      return static_cast<T>(*value);
  }
  auto real = document::parse_double(source.text);
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (!real || std::floor(*real) != *real || std::abs(*real) > kExact) return std::nullopt;
  if (*real < static_cast<double>(std::numeric_limits<T>::min())) return std::nullopt;
  if (*real > static_cast<double>(std::numeric_limits<T>::max())) return std::nullopt;
  return static_cast<T>(*real);
}

// What protobuf's parser makes of a string where a boolean is due.
std::optional<bool> parse_quoted_bool(std::string_view text) {
  for (std::string_view word : {"true", "t", "yes", "y", "1"})
    if (equals_ignore_case(text, word)) return true;
  for (std::string_view word : {"false", "f", "no", "n", "0"})
    if (equals_ignore_case(text, word)) return false;
  return std::nullopt;
}

template <class T>
std::string check_integer(TreeNode& node, const document::Source& source) {
  const ScalarType type = scalar_type(source);
  auto value = type == ScalarType::kBool ? std::nullopt : integral<T>(source);
  if (!value) {
    return expected("a whole number from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
                        std::to_string(std::numeric_limits<T>::max()),
                    node, source);
  }
  node.integer = static_cast<int64_t>(*value);
  node.number = static_cast<uint64_t>(*value);
  return "";
}

std::string check_enum(TreeNode& node, const document::Source& source, const EnumType& type) {
  const auto number = document::parse_int(source.text);  // in quotes, too
  std::vector<std::string_view> names;
  std::string all;
  for (const auto& [name, value] : type.values) {
    if (number ? *number == value : equals_ignore_case(name, source.text)) {
      node.integer = value;
      node.text = name;
      return "";
    }
    names.push_back(name);
    all += (all.empty() ? "" : ", ") + name;
  }
  std::string fault = expected("one of " + all, node, source);
  const std::string near = number ? "" : nearest(source.text, names);
  if (!near.empty()) fault += "; did you mean `" + near + "`?";
  return fault;
}

std::string check_string(TreeNode& node, const document::Source& source) {
  if (scalar_type(source) == ScalarType::kString) {
    node.text = source.text;
    return "";
  }
  return expected("a string", node, source) +
         (may_be_shown(node) ? "; quote it: \"" + source.text + "\"" : "; quote it");
}

}  // namespace

std::string check_scalar(TreeNode& node, const document::Source& source, FieldKind kind, const EnumType* enumeration) {
  if (source.kind != document::Source::Kind::kScalar) {
    static constexpr std::string_view kNames[] = {
        "a boolean", "a number", "a number",     "a number",      "a number",
        "a number",  "a string", "base64 bytes", "an enum value", "a duration such as \"0.25s\""};
    return expected(kNames[static_cast<size_t>(kind)], node, source);
  }
  switch (kind) {
    case FieldKind::kBool: {
      auto value = source.quoted ? parse_quoted_bool(source.text) : document::parse_bool(source.text);
      if (!value) return expected("a boolean, true or false", node, source);
      node.integer = *value ? 1 : 0;
      return "";
    }
    case FieldKind::kInt32:
      return check_integer<int32_t>(node, source);
    case FieldKind::kInt64:
      return check_integer<int64_t>(node, source);
    case FieldKind::kUint32:
      return check_integer<uint32_t>(node, source);
    case FieldKind::kUint64:
      return check_integer<uint64_t>(node, source);
    case FieldKind::kDouble: {
      auto value = scalar_type(source) == ScalarType::kBool ? std::nullopt : document::parse_double(source.text);
      if (!value) return expected("a number", node, source);
      node.real = *value;
      return "";
    }
    case FieldKind::kString:
      return check_string(node, source);
    case FieldKind::kBytes: {
      auto value = document::parse_base64(source.text);
      if (!value) return "expected bytes in base64";
      node.text = std::move(*value);
      return "";
    }
    case FieldKind::kEnum:
      return enumeration != nullptr ? check_enum(node, source, *enumeration) : expected("an enum value", node, source);
    case FieldKind::kDuration: {
      auto value = document::parse_duration(source.text);
      if (!value) return expected("a duration in seconds such as \"0.25s\" or \"15s\"", node, source);
      node.duration = *value;
      return "";
    }
    default:
      return "";
  }
}

namespace {

std::string scalar_json(const document::Source& source) {
  switch (scalar_type(source)) {
    case ScalarType::kNull:
      return "null";
    case ScalarType::kBool:
      return *document::parse_bool(source.text) ? "true" : "false";
    case ScalarType::kInt: {
      const int64_t value = *document::parse_int(source.text);
      const bool fits = value >= std::numeric_limits<int32_t>::min() && value <= std::numeric_limits<int32_t>::max();
      return fits ? std::to_string(value) : document::json_string(std::to_string(value));
    }
    case ScalarType::kDouble: {
      const double value = *document::parse_double(source.text);
      std::array<char, 32> text{};
      auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
      return error == std::errc{} && std::isfinite(value) ? std::string(text.data(), end)
                                                          : document::json_string(source.text);
    }
    case ScalarType::kString:
      break;
  }
  return document::json_string(source.text);
}

void append_json(std::string& out, const document::Source& source) {
  const char* separator = "";
  switch (source.kind) {
    case document::Source::Kind::kNull:
    case document::Source::Kind::kScalar:
      out += scalar_json(source);
      return;
    case document::Source::Kind::kList:
      out += '[';
      for (const auto& item : source.items) {
        out += separator;
        append_json(out, *item);
        separator = ",";
      }
      out += ']';
      return;
    case document::Source::Kind::kMap:
      out += '{';
      for (const document::Source::Entry& entry : source.entries) {
        out += separator + document::json_string(entry.key) + ":";
        append_json(out, *entry.value);
        separator = ",";
      }
      out += '}';
  }
}

}  // namespace

std::string to_json(const document::Source& source) {
  std::string out;
  append_json(out, source);
  return out;
}

}  // namespace inlay::config
