// SPDX-License-Identifier: Apache-2.0
#pragma once

// What Inlay makes of each Envoy field. Each family file declares its messages in a table of rules; the loader's
// support pass and docs/reference/envoy_config.md are made from those tables. A field of Envoy that no rule names is
// not supported: setting it is an error, never silently ignored.

#include <span>
#include <string_view>
#include <vector>

#include "config/tree.h"

namespace inlay::config {

enum class Support : uint8_t {
  kYes,      // does what it does in Envoy
  kIgnored,  // accepted and checked, has no effect on what the data plane does; a warning
  kOnly,     // accepted with the value `only` (which is what Inlay does anyway), an error otherwise
  kNo,       // an error; for a rule that has advice to give
};

struct FieldRule {
  std::string_view field;
  Support support = Support::kYes;
  // kNo: what to use instead; kIgnored: why it has no effect; kYes: limits. Starts in lower case, no full stop.
  std::string_view note = {};
  std::string_view only = {};  // kOnly: "true", "false", an enum's name or a number
};

struct MessageRules {
  std::string_view message;
  std::span<const FieldRule> rules;
};

// All families' tables.
const std::vector<MessageRules>& all_rules();
// nullptr: no field of the message is supported, or the field has no rule.
const FieldRule* find_rule(std::string_view message, std::string_view field);

// Reports every field of `tree` that is ignored or not supported. Does not look inside of those.
void check_support(const Tree& tree, Reporter& report);

// Whether the field stands in the file with nothing but proto3's default value ("" , 0, false), which is as if unset.
bool is_default(const TreeNode& node);

// Family tables, each in its family's file.
std::span<const MessageRules> bootstrap_rules();
std::span<const MessageRules> dynamic_resources_rules();
std::span<const MessageRules> address_rules();
std::span<const MessageRules> limit_rules();
std::span<const MessageRules> http2_options_rules();
std::span<const MessageRules> listener_rules();
std::span<const MessageRules> http_connection_manager_rules();
std::span<const MessageRules> tcp_proxy_rules();
std::span<const MessageRules> route_rules();
std::span<const MessageRules> matcher_rules();
std::span<const MessageRules> header_rules();
std::span<const MessageRules> cluster_rules();
std::span<const MessageRules> wasm_rules();
std::span<const MessageRules> wasm_code_rules();
std::span<const MessageRules> tls_rules();
std::span<const MessageRules> access_log_rules();
std::span<const MessageRules> data_source_rules();
std::span<const MessageRules> cors_rules();
std::span<const MessageRules> jwt_authn_rules();
std::span<const MessageRules> http_uri_rules();
std::span<const MessageRules> upgrade_rules();
std::span<const MessageRules> config_source_rules();
std::span<const MessageRules> secret_rules();
std::span<const MessageRules> filter_chain_match_rules();

}  // namespace inlay::config
