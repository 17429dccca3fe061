// SPDX-License-Identifier: Apache-2.0
#include "config/builders.h"
#include "base/ascii.h"

#include <algorithm>

#include "document/scalars.h"

namespace inlay::config {

bool BuildContext::is_in_secret_file(View at) const {
  const uint32_t file = at.node().place.file;
  return file != 0 &&
         std::any_of(secret_files.begin(), secret_files.end(), [&](const auto& known) { return known.second == file; });
}

void BuildContext::field_error(View message, std::string_view field, std::string text) {
  if (View value = message[field]) {
    report.error(value.node(), std::move(text));
    return;
  }
  const std::string path = message.node().path();
  report.error(message.node().place, path.empty() ? std::string(field) : path + "." + std::string(field),
               std::move(text));
}

namespace {

// Whether something stands in it, be it right or wrong; lists in a list are as if their items stood there.
bool has_items(const document::Source& source) {
  return !source.entries.empty() || std::any_of(source.items.begin(), source.items.end(), [](const auto& item) {
    return item->kind != document::Source::Kind::kList || has_items(*item);
  });
}

}  // namespace

bool BuildContext::require(View message, std::string_view field) {
  const View value = message[field];
  if (!value) {
    // A faulty value was left out of the tree and has its error already.
    const document::Source* source = message.node().source;
    const FieldType* type = message.node().message == nullptr ? nullptr : message.node().message->find(field);
    auto stands = [&](std::string_view name) {
      const document::Source* given = source == nullptr ? nullptr : source->find(name);
      if (given == nullptr || given->kind == document::Source::Kind::kNull) return false;
      return type->kind != FieldKind::kAny || given->kind != document::Source::Kind::kMap ||
             !given->entries.empty();  // {}: unset
    };
    if (type != nullptr && (stands(type->name) || stands(type->json_name))) return false;
    const bool extension = type != nullptr && type->kind == FieldKind::kAny && field == "typed_config";
    field_error(message, field,
                extension ? "is required: an extension is chosen by the \"@type\" in it, whatever its `name` is"
                          : "is required");
    return false;
  }
  const bool list_like = value.node().is_list || value.node().is_map;
  if (list_like && value.node().children.empty() &&
      (value.node().source == nullptr || !has_items(*value.node().source))) {
    error(value, "must have at least one entry");
    return false;
  }
  if (!list_like && value.node().field->kind == FieldKind::kString && value.node().text.empty()) {
    error(value, "must not be empty");
    return false;
  }
  return true;
}

std::string BuildContext::unknown_cluster(std::string_view name) const {
  const std::vector<std::string_view> names(clusters.begin(), clusters.end());
  const std::string near = nearest(name, names);
  return "there is no cluster " + document::quote(name) + " in static_resources.clusters" +
         (near.empty() ? "" : "; did you mean `" + near + "`?");
}

const TreeNode* BuildContext::typed(View any, std::initializer_list<std::string_view> types, std::string_view what) {
  if (!any) return nullptr;
  const std::string& type = any.node().any_type;
  for (std::string_view wanted : types)
    if (type == wanted) return any.node().message == nullptr ? nullptr : &any.node();
  std::vector<std::string_view> names;
  for (const auto& [name, message] : all_messages()) names.push_back(name);
  std::string wanted_list;
  for (std::string_view wanted : types) wanted_list += (wanted_list.empty() ? "" : ", ") + std::string(wanted);
  const auto v2 = type.find(".v2.");
  const bool gone =
      type.starts_with("envoy.") &&
      (v2 != std::string::npos || type.find(".v2alpha") != std::string::npos || type.starts_with("envoy.api.v2"));
  std::string message =
      std::string(what) + " of type " + document::quote(type) +
      (gone ? " went with Envoy's v2 API, with Envoy 1.18" : " is not something that Inlay supports yet");
  const std::string near = any.node().message == nullptr ? nearest(type, names, 3) : "";
  if (!near.empty()) message += "; did you mean `" + near + "`?";
  const bool may_go = what == "an HTTP filter" || what == "a network filter" || what == "a listener filter" ||
                      what == "an access logger";
  error(any, message + "; supported: " + wanted_list +
                 (may_go && !gone ? "; to try the file without it, --leave-out names it" : ""));
  return nullptr;
}

}  // namespace inlay::config
