// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/crd_schema.h"

#include <re2/re2.h>

#include <algorithm>
#include <memory>

#include "config/scalar_check.h"
#include "deploy/render/embedded.h"
#include "document/scalars.h"

namespace inlay::deploy {

using config::ScalarType;
using document::quote;
using document::Source;

namespace {

std::string text_of(const Source& map, std::string_view key) {
  const Source* value = map.find(key);
  return value == nullptr ? "" : value->text;
}

bool is_true(const Source& map, std::string_view key) {
  return text_of(map, key) == "true";
}

bool holds_type(const Source& value, std::string_view type) {
  const bool scalar = value.kind == Source::Kind::kScalar;
  const ScalarType kind = scalar ? config::scalar_type(value) : ScalarType::kNull;
  if (type == "object") return value.kind == Source::Kind::kMap;
  if (type == "array") return value.kind == Source::Kind::kList;
  if (type == "string") return scalar && kind == ScalarType::kString;
  if (type == "boolean") return scalar && kind == ScalarType::kBool;
  if (type == "integer") return scalar && kind == ScalarType::kInt;
  if (type == "number") return scalar && (kind == ScalarType::kInt || kind == ScalarType::kDouble);
  return false;
}

class Checker {
 public:
  std::vector<std::string> faults;

  void check(const Source& schema, const Source& value, const std::string& path) {
    if (value.kind == Source::Kind::kNull) {
      if (!is_true(schema, "nullable")) add(path, "is null");
      return;
    }
    if (!check_type(schema, value, path)) return;
    check_scalar(schema, value, path);
    check_list(schema, value, path);
    check_map(schema, value, path);
    check_combined(schema, value, path);
  }

 private:
  void add(const std::string& path, const std::string& fault) { faults.push_back(path + ": " + fault); }

  bool check_type(const Source& schema, const Source& value, const std::string& path) {
    const std::string type = text_of(schema, "type");
    const bool either = is_true(schema, "x-kubernetes-int-or-string");
    if (either ? holds_type(value, "integer") || holds_type(value, "string") : type.empty() || holds_type(value, type))
      return true;
    add(path, "expected " + (either ? "a number or a text" : type) + ", found " + config::describe(value));
    return false;
  }

  void check_scalar(const Source& schema, const Source& value, const std::string& path) {
    if (value.kind != Source::Kind::kScalar) return;
    if (const Source* allowed = schema.find("enum")) {
      const bool known = std::any_of(allowed->items.begin(), allowed->items.end(),
                                     [&](const auto& item) { return item->text == value.text; });
      if (!known) add(path, quote(value.text) + " is none of its values");
    }
    const std::string pattern = text_of(schema, "pattern");
    if (!pattern.empty() && !RE2::PartialMatch(value.text, RE2(pattern, RE2::Quiet)))
      add(path, quote(value.text) + " does not match " + pattern);
    check_bounds(schema, value.text.size(), "minLength", "maxLength", "characters", path);
    if (const auto number = document::parse_double(value.text); number && !value.quoted) {
      const auto least = document::parse_double(text_of(schema, "minimum"));
      const auto most = document::parse_double(text_of(schema, "maximum"));
      if ((least && *number < *least) || (most && *number > *most)) add(path, value.text + " is out of range");
    }
  }

  void check_bounds(const Source& schema, size_t count, std::string_view least, std::string_view most,
                    const std::string& unit, const std::string& path) {
    const auto low = document::parse_uint(text_of(schema, least));
    const auto high = document::parse_uint(text_of(schema, most));
    if ((low && count < *low) || (high && count > *high)) add(path, "has " + std::to_string(count) + " " + unit);
  }

  void check_list(const Source& schema, const Source& value, const std::string& path) {
    if (value.kind != Source::Kind::kList) return;
    check_bounds(schema, value.items.size(), "minItems", "maxItems", "items", path);
    const Source* items = schema.find("items");
    for (size_t i = 0; items != nullptr && i < value.items.size(); ++i)
      check(*items, *value.items[i], path + "[" + std::to_string(i) + "]");
  }

  void check_map(const Source& schema, const Source& value, const std::string& path) {
    if (value.kind != Source::Kind::kMap) return;
    check_bounds(schema, value.entries.size(), "minProperties", "maxProperties", "fields", path);
    if (const Source* required = schema.find("required"))
      for (const auto& name : required->items)
        if (value.find(name->text) == nullptr) add(path, quote(name->text) + " is missing");
    const Source* properties = schema.find("properties");
    const Source* others = schema.find("additionalProperties");
    const bool open =
        is_true(schema, "x-kubernetes-preserve-unknown-fields") || (properties == nullptr && others == nullptr);
    for (const Source::Entry& entry : value.entries) {
      const Source* known = properties == nullptr ? nullptr : properties->find(entry.key);
      if (known == nullptr) known = others;
      if (known != nullptr) {
        check(*known, *entry.value, path + "." + entry.key);
      } else if (!open) {
        add(path, "there is no field " + quote(entry.key));
      }
    }
  }

  // oneOf, anyOf and not stand beside the rest of a structural schema, and say nothing about unknown fields.
  void check_combined(const Source& schema, const Source& value, const std::string& path) {
    if (const Source* choices = schema.find("oneOf"))
      if (const size_t count = matches(*choices, value); count != 1)
        add(path, std::to_string(count) + " of its alternatives are given; exactly one is needed");
    if (const Source* choices = schema.find("anyOf");
        choices != nullptr && !is_true(schema, "x-kubernetes-int-or-string"))
      if (matches(*choices, value) == 0) add(path, "none of its alternatives is given");
    if (const Source* refused = schema.find("not"))
      if (check_schema(*refused, value, path).empty()) add(path, "has what must not be together");
  }

  static size_t matches(const Source& choices, const Source& value) {
    return static_cast<size_t>(std::count_if(choices.items.begin(), choices.items.end(), [&](const auto& choice) {
      return check_schema(*choice, value, "").empty();
    }));
  }
};

// Of the kind; nullptr where there is none.
const Source* find_definition(std::string_view kind) {
  static const auto kFiles = [] {
    std::vector<std::shared_ptr<const Source>> files;
    document::Diagnostics diagnostics;
    for (const char* name : {"istio_crds.yaml", "gateway_crds.yaml"})
      files.push_back(document::parse_source(embedded_file(name), false, name, diagnostics));
    return files;
  }();
  for (const auto& file : kFiles)
    if (const Source* found = file == nullptr ? nullptr : file->find(kind)) return found;
  return nullptr;
}

}  // namespace

std::vector<std::string> check_schema(const Source& schema, const Source& value, const std::string& path) {
  Checker checker;
  checker.check(schema, value, path);
  return std::move(checker.faults);
}

std::vector<std::string> check_custom_resource(const Source& resource) {
  const std::string kind = text_of(resource, "kind");
  const Source* definition = find_definition(kind);
  if (definition == nullptr) return {"kind: there is no schema for " + quote(kind)};
  std::vector<std::string> faults;
  if (text_of(resource, "apiVersion") != text_of(*definition, "apiVersion"))
    faults.push_back("apiVersion: expected " + text_of(*definition, "apiVersion"));
  const Source* metadata = resource.find("metadata");
  if (metadata == nullptr || text_of(*metadata, "name").empty()) faults.emplace_back("metadata.name: is missing");
  const Source* spec = resource.find("spec");
  if (spec == nullptr) return faults;
  const Source& schema = *definition->find("schema")->find("properties")->find("spec");
  for (std::string& fault : check_schema(schema, *spec, "spec")) faults.push_back(std::move(fault));
  return faults;
}

}  // namespace inlay::deploy
