// SPDX-License-Identifier: Apache-2.0
#include "config/support.h"

#include <algorithm>
#include <string>

#include "document/scalars.h"

namespace inlay::config {

const std::vector<MessageRules>& all_rules() {
  static const std::vector<MessageRules> rules = [] {
    std::vector<MessageRules> all;
    for (auto family : {bootstrap_rules(),
                        dynamic_resources_rules(),
                        address_rules(),
                        listener_rules(),
                        http_connection_manager_rules(),
                        tcp_proxy_rules(),
                        route_rules(),
                        matcher_rules(),
                        header_rules(),
                        limit_rules(),
                        http2_options_rules(),
                        cluster_rules(),
                        wasm_rules(),
                        wasm_code_rules(),
                        tls_rules(),
                        data_source_rules(),
                        access_log_rules(),
                        cors_rules(),
                        jwt_authn_rules(),
                        http_uri_rules(),
                        upgrade_rules(),
                        secret_rules(),
                        config_source_rules(),
                        filter_chain_match_rules()})
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
        check_ignored(node);
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

  // What Envoy refuses wherever it stands, so that a file that is taken here starts there.
  void check_ignored(const TreeNode& node) {
    for (const TreeNode* child : node.children) check_ignored(*child);
    if (node.is_list || node.is_map) return;
    if (node.message != nullptr && node.message->name == "envoy.type.v3.Percent") {
      const TreeNode* value = node.find("value");
      if (value != nullptr && !(value->real >= 0 && value->real <= 100))
        report_.error(*value, "must be from 0 to 100, of a hundred");
    }
    if (node.message != nullptr && node.message->name == "envoy.config.core.v3.SocketOption" &&
        node.find("int_value") == nullptr && node.find("buf_value") == nullptr)
      report_.error(node, "needs one of `int_value`, `buf_value`");
    if (node.message == nullptr && !node.any_type.empty() && !may_be_known(node.any_type))
      report_.error(node, "Envoy has no message type " + document::quote(node.any_type));
  }

  // Those of other packages Envoy has none of.
  static bool may_be_known(std::string_view type) {
    constexpr std::string_view kPackages[] = {"envoy.", "google.", "xds.", "udpa.", "opencensus.", "opentelemetry."};
    return std::any_of(std::begin(kPackages), std::end(kPackages),
                       [&](std::string_view package) { return type.starts_with(package); });
  }

  Reporter& report_;
};

}  // namespace

void check_support(const Tree& tree, Reporter& report) {
  Pass(report).visit(*tree.root);
}

}  // namespace inlay::config
