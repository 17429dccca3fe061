// SPDX-License-Identifier: Apache-2.0
#include "deploy/render/check_forms.h"

#include "config/scalar_check.h"
#include "deploy/render/values_schema.h"
#include "document/scalars.h"

namespace inlay::deploy {

using config::Reporter;
using config::TreeNode;
using document::Source;

namespace {

void check_message(const TreeNode& node, Reporter& report);

// Whether the key stands in the map, if only with a value that is wrong and was reported.
bool stands_in(const Source& source, std::string_view key) {
  const Source* value = source.find(key);
  return value != nullptr && value->kind != Source::Kind::kNull;
}

void check_value(const TreeNode& node, const FieldSpec& spec, Reporter& report) {
  if (node.message != nullptr) {
    check_message(node, report);
    return;
  }
  std::string fault;
  if (spec.kind == FieldKind::kString) fault = check_form(spec.form, node.text);
  if (spec.kind == FieldKind::kUint32) fault = check_form(spec.form, node.number);
  if (!fault.empty()) report.error(node, fault + ", found " + config::describe(*node.source));
  if (spec.shape != Shape::kMap) return;
  fault = check_form(spec.key, node.key);
  if (!fault.empty()) report.error(node, fault + ", found the key " + document::quote(node.key));
}

void check_field(const TreeNode& node, const FieldSpec& spec, Reporter& report) {
  if (!node.is_list && !node.is_map) {
    check_value(node, spec, report);
    return;
  }
  for (const TreeNode* child : node.children) check_value(*child, spec, report);
}

void check_message(const TreeNode& node, Reporter& report) {
  const MessageSpec& message = *find_message_spec(node.message->name);
  if (node.source->kind != Source::Kind::kMap) return;  // reported
  for (const FieldSpec& spec : message.fields)
    if (spec.required && !stands_in(*node.source, spec.name))
      report.error(node, "`" + std::string(spec.name) + "` is missing" + (spec.help.empty() ? "" : ": ") +
                             std::string(spec.help));
  for (const TreeNode* child : node.children)
    check_field(*child, *find_field_spec(message.name, child->field->name), report);
}

}  // namespace

void check_forms(const TreeNode& root, Reporter& report) {
  if (root.message != nullptr) check_message(root, report);
}

}  // namespace inlay::deploy
