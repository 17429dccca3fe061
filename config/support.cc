// SPDX-License-Identifier: Apache-2.0
#include "config/support.h"

#include <algorithm>
#include <string>

namespace inlay::config {

const std::vector<MessageRules>& all_rules() {
  static const std::vector<MessageRules> rules = [] {
    std::vector<MessageRules> all;
    for (auto family :
         {bootstrap_rules(), address_rules(), listener_rules(), http_connection_manager_rules(), tcp_proxy_rules(),
          route_rules(), matcher_rules(), header_rules(), limit_rules(), http2_options_rules(), cluster_rules(),
          wasm_rules(), wasm_code_rules(), tls_rules(), data_source_rules(), access_log_rules()})
      all.insert(all.end(), family.begin(), family.end());
    return all;
  }();
  return rules;
}

const FieldRule* find_rule(std::string_view message, std::string_view field) {
  for (const MessageRules& rules : all_rules()) {
    if (rules.message != message) continue;
    for (const FieldRule& rule : rules.rules)
      if (rule.field == field) return &rule;
  }
  return nullptr;
}

bool is_default(const TreeNode& node) {
  if (node.is_list || node.is_map) return node.children.empty();
  if (node.field == nullptr || node.field->wrapper || !node.field->oneof.empty()) return false;
  switch (node.field->kind) {
    case FieldKind::kMessage:
    case FieldKind::kAny:
    case FieldKind::kStruct:
    case FieldKind::kValue:
    case FieldKind::kDuration:
      return false;
    default:
      return node.text.empty() && node.integer == 0 && node.number == 0 && node.real == 0;
    case FieldKind::kEnum:
      return node.integer == 0;
  }
}

namespace {

std::string value_of(const TreeNode& node) {
  switch (node.field->kind) {
    case FieldKind::kBool:
      return node.integer != 0 ? "true" : "false";
    case FieldKind::kEnum:
    case FieldKind::kString:
      return node.text;
    default:
      return std::to_string(node.integer);
  }
}

std::string with_note(std::string message, const FieldRule* rule) {
  if (rule != nullptr && !rule->note.empty()) message += "; " + std::string(rule->note);
  return message;
}

class Pass {
 public:
  explicit Pass(Reporter& report) : report_(report) {}

  void visit(const TreeNode& node) {
    if (node.message == nullptr || node.is_list || node.is_map) {
      for (const TreeNode* child : node.children) visit(*child);
      return;
    }
    // An extension that Inlay does not have: its reader says so once, not field by field.
    if (!node.any_type.empty() && !has_rules(node.message->name)) return;
    for (const TreeNode* child : node.children) visit_field(node.message->name, *child);
  }

 private:
  static bool has_rules(std::string_view message) {
    return std::any_of(all_rules().begin(), all_rules().end(),
                       [&](const MessageRules& rules) { return rules.message == message; });
  }

  void visit_field(std::string_view message, const TreeNode& node) {
    if (is_default(node)) return;
    const FieldRule* rule = find_rule(message, node.field->name);
    const Support support = rule == nullptr ? Support::kNo : rule->support;
    const std::string name = "Envoy field `" + node.field->name + "`";
    switch (support) {
      case Support::kYes:
        visit(node);
        return;
      case Support::kIgnored:
        report_.warning(node, with_note(name + " is ignored", rule));
        return;
      case Support::kOnly:
        if (value_of(node) == rule->only) return;
        report_.error(
            node, with_note(name + " is valid, but Inlay supports only `" + std::string(rule->only) + "` yet", rule));
        return;
      case Support::kNo:
        report_.error(node, with_note(name + " is valid, but Inlay does not support it yet", rule));
        return;
    }
  }

  Reporter& report_;
};

}  // namespace

void check_support(const Tree& tree, Reporter& report) {
  Pass(report).visit(*tree.root);
}

}  // namespace inlay::config
