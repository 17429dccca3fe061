// SPDX-License-Identifier: Apache-2.0
#include "config/tree.h"

#include <algorithm>
#include <map>

#include "config/scalar_check.h"
#include "document/scalars.h"

namespace inlay::config {

std::string TreeNode::path() const {
  std::string out = parent == nullptr ? "" : parent->path();
  out += step;
  if (out.starts_with('.')) out.erase(0, 1);
  return out;
}

const TreeNode* TreeNode::find(std::string_view name) const {
  if (is_list || is_map) return nullptr;
  for (const TreeNode* child : children)
    if (child->field != nullptr && child->field->name == name) return child;
  return nullptr;
}

void Reporter::add(document::Diagnostic::Severity severity, document::Place place, std::string path,
                   std::string message) {
  const File& file = files_[place.file < files_.size() ? place.file : 0];
  if (!file.from.empty() && path.starts_with(file.from)) path.replace(0, file.from.size(), file.to);
  sink_.add({severity, file.name, place, std::move(path), std::move(message)});
}
void Reporter::error(document::Place place, std::string path, std::string message) {
  add(document::Diagnostic::Severity::kError, place, std::move(path), std::move(message));
}
void Reporter::warning(document::Place place, std::string path, std::string message) {
  add(document::Diagnostic::Severity::kWarning, place, std::move(path), std::move(message));
}

void check_durations(const Tree& tree, Reporter& report) {
  for (const TreeNode& node : tree.nodes)
    if (node.duration.count() < 0) report.error(node, "a duration must not be negative");
}

namespace {

constexpr std::string_view kTypedStructs[] = {"udpa.type.v1.TypedStruct", "xds.type.v3.TypedStruct"};

// The well-known types that stand in an Any with their JSON under `value`.
constexpr std::pair<std::string_view, FieldKind> kValueTypes[] = {
    {"google.protobuf.StringValue", FieldKind::kString}, {"google.protobuf.BytesValue", FieldKind::kBytes},
    {"google.protobuf.BoolValue", FieldKind::kBool},     {"google.protobuf.Int32Value", FieldKind::kInt32},
    {"google.protobuf.Int64Value", FieldKind::kInt64},   {"google.protobuf.UInt32Value", FieldKind::kUint32},
    {"google.protobuf.UInt64Value", FieldKind::kUint64}, {"google.protobuf.DoubleValue", FieldKind::kDouble},
    {"google.protobuf.FloatValue", FieldKind::kDouble},  {"google.protobuf.Duration", FieldKind::kDuration},
    {"google.protobuf.Struct", FieldKind::kStruct},      {"google.protobuf.Value", FieldKind::kValue},
};

class Checker {
 public:
  Checker(Tree& tree, bool allow_unknown, Reporter& report)
      : tree_(tree), allow_unknown_(allow_unknown), report_(report) {}

  TreeNode& root(const document::Source& source, const MessageType& type) {
    TreeNode& node = make(nullptr, nullptr, "", source, source.place);
    if (source.kind != document::Source::Kind::kNull) fill_message(node, source, type);
    return node;
  }

 private:
  TreeNode& make(const TreeNode* parent, const FieldType* field, std::string step, const document::Source& source,
                 document::Place place) {
    TreeNode& node = tree_.nodes.emplace_back();
    node.parent = parent;
    node.field = field;
    node.step = std::move(step);
    node.source = &source;
    node.place = place;
    return node;
  }

  // Fills a message from a map. `skip` is a key that is not a field ("@type").
  void fill_message(TreeNode& node, const document::Source& source, const MessageType& type,
                    std::string_view skip = {}) {
    node.message = &type;
    if (source.kind != document::Source::Kind::kMap) {
      report_.error(node, "expected a map with the fields of " + type.name + ", found " + describe(source));
      return;
    }
    std::map<std::string_view, const FieldType*> oneofs;
    for (const document::Source::Entry& entry : source.entries) {
      if (entry.key == skip && !skip.empty()) continue;
      const FieldType* field = type.find(entry.key);
      if (field == nullptr) {
        unknown_field(node, entry, type);
        continue;
      }
      if (entry.value->kind == document::Source::Kind::kNull && field->kind != FieldKind::kValue)
        continue;  // null is unset
      if (node.find(field->name) != nullptr) {
        report_.error(entry.place, path_of(node, *field),
                      "is set twice, as `" + field->name + "` and as `" + field->json_name + "`");
        continue;
      }
      if (!field->oneof.empty()) {
        auto [it, fresh] = oneofs.emplace(field->oneof, field);
        if (!fresh) {
          report_.error(entry.place, path_of(node, *field),
                        "only one of `" + it->second->name + "` and `" + field->name + "` can be set");
          continue;
        }
      }
      add_field(node, *field, entry);
    }
  }

  static std::string path_of(const TreeNode& node, const FieldType& field) {
    const std::string path = node.path();
    return path.empty() ? field.name : path + "." + field.name;
  }

  // What replaced a field of the v2 API, when `type` has it.
  static std::string successor_of(std::string_view key, const MessageType& type) {
    static constexpr std::pair<std::string_view, std::string_view> kGone[] = {
        {"hosts", "load_assignment"},        {"config", "typed_config"},
        {"tls_context", "transport_socket"}, {"regex", "safe_regex"},
        {"regex_match", "safe_regex_match"}, {"per_filter_config", "typed_per_filter_config"},
    };
    for (const auto& [gone, successor] : kGone)
      if (key == gone && type.find(successor) != nullptr) return std::string(successor);
    return "";
  }

  void unknown_field(const TreeNode& node, const document::Source::Entry& entry, const MessageType& type) {
    std::vector<std::string_view> names;
    for (const FieldType& field : type.fields) names.push_back(field.name);
    std::string message = "no such field in " + type.name;
    const std::string near = nearest(entry.key, names);
    const std::string successor = successor_of(entry.key, type);
    if (!successor.empty()) {
      message += "; it went with Envoy's v2 API, use `" + successor + "`";
    } else if (entry.key == "<<") {
      message += "; YAML merge keys are not supported by Envoy either";
    } else if (!near.empty()) {
      message += "; did you mean `" + near + "`?";
    } else if (names.size() <= 12 && !names.empty()) {
      message += "; it has ";
      for (size_t i = 0; i < names.size(); ++i) message += (i == 0 ? "`" : ", `") + std::string(names[i]) + "`";
    }
    const std::string path = node.path();
    const std::string full = path.empty() ? entry.key : path + "." + entry.key;
    if (allow_unknown_) {
      report_.warning(entry.place, full, message + "; ignored");
    } else {
      report_.error(entry.place, full, message);
    }
  }

  void add_field(TreeNode& parent, const FieldType& field, const document::Source::Entry& entry) {
    TreeNode& node = make(&parent, &field, "." + field.name, *entry.value, entry.place);
    const bool good = field.map        ? fill_map(node, *entry.value, field)
                      : field.repeated ? fill_list(node, *entry.value, field)
                                       : fill_value(node, *entry.value, field);
    if (good) parent.children.push_back(&node);
  }

  bool fill_list(TreeNode& node, const document::Source& source, const FieldType& field) {
    node.is_list = true;
    if (stands_for_list(source, field)) return add_item(node, source, field, 0);
    if (source.kind != document::Source::Kind::kList) {
      report_.error(node, "expected a list of " + field.type + ", found " + describe(source));
      return false;
    }
    size_t i = 0;
    add_items(node, source, field, i);
    return true;
  }

  // As protobuf's parser has it, a list in a list is as if its own items stood there.
  void add_items(TreeNode& node, const document::Source& source, const FieldType& field, size_t& i) {
    for (const auto& item : source.items) {
      if (item->kind == document::Source::Kind::kList && field.kind != FieldKind::kValue) {
        add_items(node, *item, field, i);
      } else {
        add_item(node, *item, field, i++);
      }
    }
  }

  bool add_item(TreeNode& node, const document::Source& item, const FieldType& field, size_t i) {
    TreeNode& child = make(&node, &field, "[" + std::to_string(i) + "]", item, item.place);
    if (!fill_value(child, item, field)) return false;
    node.children.push_back(&child);
    return true;
  }

  // Envoy reads a file with protobuf's JSON parser, which takes one value for a list of one.
  static bool stands_for_list(const document::Source& source, const FieldType& field) {
    const bool structured = field.kind == FieldKind::kMessage || field.kind == FieldKind::kAny ||
                            field.kind == FieldKind::kStruct || field.kind == FieldKind::kValue;
    return source.kind == (structured ? document::Source::Kind::kMap : document::Source::Kind::kScalar);
  }

  bool fill_map(TreeNode& node, const document::Source& source, const FieldType& field) {
    node.is_map = true;
    if (source.kind != document::Source::Kind::kMap) {
      report_.error(node, "expected a map of " + field.type + ", found " + describe(source));
      return false;
    }
    for (const document::Source::Entry& entry : source.entries) {
      TreeNode& child = make(&node, &field, "[" + document::json_string(entry.key) + "]", *entry.value, entry.place);
      child.key = entry.key;
      if (fill_value(child, *entry.value, field)) node.children.push_back(&child);
    }
    return true;
  }

  // One value, not a list. Whether it may be used.
  bool fill_value(TreeNode& node, const document::Source& source, const FieldType& field) {
    switch (field.kind) {
      case FieldKind::kMessage:
        if (source.kind == document::Source::Kind::kNull) return fill_nothing(node, *field.message);  // in a list
        fill_message(node, source, *field.message);
        return source.kind == document::Source::Kind::kMap;
      case FieldKind::kAny:
        return fill_any(node, source);
      case FieldKind::kStruct:
        if (source.kind == document::Source::Kind::kMap) return true;
        report_.error(node, "expected a map (" + field.type + "), found " + describe(source));
        return false;
      case FieldKind::kValue:
        return true;
      default:
        break;
    }
    if (source.kind == document::Source::Kind::kNull && field.kind != FieldKind::kEnum)
      return true;  // in a list: 0, ""
    if (source.kind == document::Source::Kind::kMap) {
      if (field.kind == FieldKind::kDuration) return fill_duration(node, source);
      if (field.wrapper) return fill_wrapper(node, source, field.kind, field.type);
    }
    return fill_scalar(node, source, field.kind, field.enumeration);
  }

  bool fill_scalar(TreeNode& node, const document::Source& source, FieldKind kind, const EnumType* enumeration) {
    std::string fault = check_scalar(node, source, kind, enumeration);
    if (fault.empty()) return true;
    report_.error(node, std::move(fault));
    return false;
  }

  // A message without fields.
  bool fill_nothing(TreeNode& node, const MessageType& type) {
    node.message = &type;
    return true;
  }

  // Reports a key of `source` that is none of `known`, which are the fields of `type`.
  bool only_keys(const TreeNode& node, const document::Source& source, std::initializer_list<std::string_view> known,
                 std::string_view type) {
    bool good = true;
    for (const document::Source::Entry& entry : source.entries) {
      if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
      good = false;
      if (allow_unknown_) continue;
      std::string names;
      for (const std::string_view name : known) names += (names.empty() ? "`" : " and `") + std::string(name) + "`";
      report_.error(entry.place, node.path() + "." + entry.key,
                    "no such field in " + std::string(type) + ", which has " + names);
    }
    return good || allow_unknown_;
  }

  // The form that a Duration has as a message, which protobuf's parser takes, too: {seconds: 60, nanos: 5}.
  bool fill_duration(TreeNode& node, const document::Source& source) {
    if (!only_keys(node, source, {"seconds", "nanos"}, "google.protobuf.Duration")) return false;
    constexpr int64_t kMostSeconds = 315'576'000'000;
    int64_t parts[] = {0, 0};
    const std::pair<std::string_view, FieldKind> fields[] = {{"seconds", FieldKind::kInt64},
                                                             {"nanos", FieldKind::kInt32}};
    for (size_t i = 0; i < 2; ++i) {
      const document::Source* part = source.find(fields[i].first);
      if (part == nullptr || part->kind == document::Source::Kind::kNull) continue;
      if (!fill_scalar(node, *part, fields[i].second, nullptr)) return false;
      parts[i] = node.integer;
    }
    node.integer = 0;
    node.number = 0;
    const auto beyond = [&](size_t i, int64_t most) { return parts[i] > most || parts[i] < -most; };
    if (beyond(0, kMostSeconds) || beyond(1, 999'999'999)) {
      report_.error(node, "a duration has at most 315576000000 `seconds` and 999999999 `nanos`");
      return false;
    }
    // Beyond 292 years there is no nanosecond to count; nobody waits for so long.
    constexpr int64_t kMostCounted = 9'000'000'000;
    node.duration =
        std::chrono::seconds(std::clamp(parts[0], -kMostCounted, kMostCounted)) + std::chrono::nanoseconds(parts[1]);
    return true;
  }

  // The form that a BoolValue, an UInt32Value and their like have as messages: {value: true}.
  bool fill_wrapper(TreeNode& node, const document::Source& source, FieldKind kind, std::string_view type) {
    if (!only_keys(node, source, {"value"}, type)) return false;
    const document::Source* value = source.find("value");
    if (value == nullptr || value->kind == document::Source::Kind::kNull) return true;  // with its default
    return fill_scalar(node, *value, kind, nullptr);
  }

  bool fill_any(TreeNode& node, const document::Source& source) {
    if (source.kind != document::Source::Kind::kMap) {
      report_.error(node, "expected a map with an \"@type\", found " + describe(source));
      return false;
    }
    const document::Source* type = source.find("@type");
    if (type == nullptr && source.entries.empty()) return false;  // {}: an empty Any is unset
    if (type == nullptr || type->kind != document::Source::Kind::kScalar) {
      report_.error(node, "lacks \"@type\", the name of its message, such as type.googleapis.com/" + example());
      return false;
    }
    node.any_type = type->text.substr(type->text.rfind('/') + 1);
    for (std::string_view wrapper : kTypedStructs)
      if (node.any_type == wrapper) return fill_typed_struct(node, source);
    for (const auto& [name, kind] : kValueTypes)
      if (node.any_type == name) return fill_well_known(node, source, kind, name);
    return resolve(node, source, "@type", type->place);
  }

  static std::string example() { return "envoy.extensions.filters.http.router.v3.Router"; }

  // Reads `source` as the message that any_type names; an unknown one is left to the reader of the field.
  bool resolve(TreeNode& node, const document::Source& source, std::string_view skip, document::Place place) {
    const MessageType* message = find_message(node.any_type);
    if (message != nullptr) {
      fill_message(node, source, *message, skip);
      return true;
    }
    if (node.any_type.find('.') == std::string::npos) {
      report_.error(place, node.path(),
                    document::quote(node.any_type) + " is no message type; expected such as " + example());
      return false;
    }
    return true;
  }

  bool fill_typed_struct(TreeNode& node, const document::Source& source) {
    const document::Source* url = source.find("type_url");
    if (url == nullptr) url = source.find("typeUrl");
    if (url == nullptr || url->kind != document::Source::Kind::kScalar) {
      report_.error(node, node.any_type + " lacks `type_url`, the type of its `value`");
      return false;
    }
    for (const document::Source::Entry& entry : source.entries)
      if (entry.key != "@type" && entry.key != "type_url" && entry.key != "typeUrl" && entry.key != "value")
        unknown_field(node, entry, *find_message(node.any_type));
    const document::Source* value = source.find("value");
    static const document::Source kEmpty = [] {
      document::Source empty;
      empty.kind = document::Source::Kind::kMap;
      return empty;
    }();
    const bool given = value != nullptr && value->kind != document::Source::Kind::kNull;
    node.any_type = url->text.substr(url->text.rfind('/') + 1);
    if (given) node.step += ".value";
    node.source = given ? value : &kEmpty;
    return resolve(node, *node.source, "", url->place);
  }

  bool fill_well_known(TreeNode& node, const document::Source& source, FieldKind kind, std::string_view name) {
    for (const document::Source::Entry& entry : source.entries)
      if (entry.key != "@type" && entry.key != "value")
        report_.error(entry.place, node.path() + "." + entry.key,
                      "no such field in " + std::string(name) + "; its content stands under `value`");
    const document::Source* value = source.find("value");
    node.source = value;
    if (value == nullptr || value->kind == document::Source::Kind::kNull) return true;
    if (kind == FieldKind::kValue) return true;
    if (kind == FieldKind::kStruct) {
      if (value->kind == document::Source::Kind::kMap) return true;
      report_.error(node, "`value` of google.protobuf.Struct must be a map, found " + describe(*value));
      return false;
    }
    if (value->kind == document::Source::Kind::kMap) {
      return kind == FieldKind::kDuration ? fill_duration(node, *value) : fill_wrapper(node, *value, kind, name);
    }
    std::string fault = check_scalar(node, *value, kind, nullptr);
    if (fault.empty()) return true;
    report_.error(value->place, node.path() + ".value", std::move(fault));
    return false;
  }

  Tree& tree_;
  bool allow_unknown_;
  Reporter& report_;
};

}  // namespace

Tree check_tree(std::shared_ptr<const document::Source> source, const MessageType& type, bool allow_unknown,
                Reporter& report) {
  Tree tree;
  tree.source = std::move(source);
  tree.root = &Checker(tree, allow_unknown, report).root(*tree.source, type);
  return tree;
}

}  // namespace inlay::config
