// SPDX-License-Identifier: Apache-2.0
#include "tester/dynamic_module.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "tester/yaml_text.h"

namespace inlay::tester {
namespace {

constexpr std::string_view kType = "type.googleapis.com/";

// Fields that have the same name, as texts and as they stand.
constexpr std::array<std::string_view, 4> kTexts = {"name", "root_id", "vm_id", "failure_policy"};
constexpr std::array<std::string_view, 2> kSame = {"allow_on_headers_stop_iteration", "capability_restriction_config"};

template <class Names>
bool has(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// `{backoff: {base_interval: 0.001s}}` as reload_backoff_ms.
Result<std::string> reload_backoff(const std::string& text) {
  const std::string mark = "base_interval: ";
  const size_t at = text.find(mark);
  if (at == std::string::npos) return Error{ErrorCode::kInvalidArgument, "no base_interval", text};
  const double seconds = std::atof(text.c_str() + at + mark.size());
  return "reload_backoff_ms: " + std::to_string(static_cast<long>(seconds * 1000));
}

Result<std::string> field(const std::string& name, const std::string& value) {
  if (has(kTexts, name)) return name + ": " + quoted_yaml(value);
  if (has(kSame, name)) return name + ": " + value;
  if (name == "reload_config") return reload_backoff(value);
  return Error{ErrorCode::kInvalidArgument, "a dynamic module has no such field", name};
}

const std::string* option(const PluginCase& plugin, std::string_view name) {
  for (const auto& [one, value] : plugin.options)
    if (one == name) return &value;
  return nullptr;
}

}  // namespace

bool fits_dynamic_module(const Case& c) {
  return !c.tcp && !c.plugins.empty() &&
         std::none_of(c.plugins.begin(), c.plugins.end(), [](const PluginCase& plugin) { return plugin.network; });
}

Result<std::string> dynamic_module_yaml(const Run& run, const PluginCase& plugin, const std::string& file) {
  std::string fields = "module: " + quoted_yaml(file) + "\n";
  bool has_name = false;
  bool has_vm_id = false;
  const std::string* const vm_capabilities = option(plugin, "vm.capability_restriction_config");
  if (vm_capabilities != nullptr) fields += "capability_restriction_config: " + *vm_capabilities + "\n";
  for (const auto& [name, value] : plugin.options) {
    // The VM's count, where there are any, and not the plugin's.
    if (name == "abi" || name == "vm.capability_restriction_config") continue;
    if (name == "capability_restriction_config" && vm_capabilities != nullptr) continue;
    INLAY_TRY(const std::string line, field(name, value));
    fields += line + "\n";
    has_name |= name == "name";
    has_vm_id |= name == "vm_id";
  }
  if (!has_name) fields += "name: " + plugin.name + "\n";
  if (!has_vm_id) fields += "vm_id: vm_" + plugin.name + "\n";
  if (plugin.guest != "wat") fields += "configuration: " + quoted_yaml(plugin.text) + "\n";
  if (!plugin.vm_configuration.empty()) fields += "vm_configuration: " + quoted_yaml(plugin.vm_configuration) + "\n";
  fields += "node: {id: node, cluster: nodes}\n";  // tester/bootstrap.cc
  if (run.c.envoy_strict) fields += "envoy_strict: true\n";
  fields += "limits: {call_ms: " + std::to_string(run.call_budget.count()) + "}\n";
  return "- name: " + plugin.name + "\n  typed_config:\n    \"@type\": " + std::string(kType) +
         "envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter\n" +
         "    dynamic_module_config:\n      metrics_namespace: wasmcustom\n      module: {local: {filename: " +
         quoted_yaml(run.dynamic_module) + "}}\n    filter_name: " + plugin.name +
         "\n    filter_config:\n      \"@type\": " + std::string(kType) + "google.protobuf.Struct\n      value:\n" +
         indent(fields, 8);
}

}  // namespace inlay::tester
