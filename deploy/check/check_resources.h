// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rules of `inlay deploy check`. Each looks at manifests before they are applied and says what will go wrong in the
// mesh; what they claim of Istio and Envoy was seen there (tests/mesh). docs/reference/deploy_check.md has a section a
// rule.
//
//     const Findings findings = check_manifests({manifests, nullptr, {}, {}});
//     std::fputs(to_text(findings).c_str(), stdout);

#include <optional>
#include <span>
#include <string_view>

#include "deploy/check/plugin_use.h"
#include "deploy/render/values.h"

namespace inlay::deploy {

// Subject is what is checked.
struct Subject {
  const Manifests& manifests;
  const Values* values = nullptr;  // what the manifests should be for, where that is known
  // Minor versions of Envoy, 36 for 1.36: that which runs, and that which is to run. 0: not asked for.
  uint32_t from = 0;
  uint32_t to = 0;
};

struct Rule {
  std::string_view name;   // "token-reach"
  std::string_view title;  // what it looks for, one sentence
  void (*run)(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings);
};
// All, in the order of the reference.
std::span<const Rule> check_rules_table();

// What every rule finds, sorted.
Findings check_manifests(const Subject& subject);

// The rules, by what they look at: Rule::run of each.
void check_token_reach(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings);
void check_other_hosts(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings);
void check_services(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings);
void check_service_entries(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings);
void check_port_names(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings);
void check_module_size(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings);
void check_module_source(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings);
void check_policies(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings);
void check_old_fields(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings);
void check_schemas(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings);
void check_assertions(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings);
void check_shared_data(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings);
void check_versions(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings);

}  // namespace inlay::deploy
