// SPDX-License-Identifier: Apache-2.0
// extensions/wasm/v3 PluginConfig, VmConfig and WasmService; the messages of the filters and the access logger.
#include "config/builders.h"
#include "config/proto_encoding.h"
#include "config/scalar_check.h"
#include "document/scalars.h"

namespace inlay::config {

namespace {

constexpr FieldRule kWasm[] = {{"config"}};
constexpr FieldRule kService[] = {{"config"}, {"singleton"}};
constexpr FieldRule kPluginConfig[] = {
    {"name"},
    {"root_id"},
    {"vm_config"},
    {"configuration", Support::kYes, "StringValue, BytesValue or Struct"},
    {"fail_open"},
    {"failure_policy"},
    {"reload_config"},
    {"capability_restriction_config", Support::kYes, "of no effect if vm_config has one; deprecated since Envoy 1.40"},
    {"allow_on_headers_stop_iteration"},
};
constexpr FieldRule kReloadConfig[] = {{"backoff"}};
constexpr FieldRule kBackoffStrategy[] = {
    {"base_interval"},
    {"max_interval", Support::kYes, "of remote code's retries; neither Inlay nor Envoy uses it for reloads"},
};
constexpr FieldRule kVmConfig[] = {
    {"vm_id"},
    {"runtime", Support::kYes, "envoy.wasm.runtime.v8, .wasmtime and .wamr all run on Inlay's own engine"},
    {"code"},
    {"configuration", Support::kYes, "StringValue, BytesValue or Struct"},
    {"allow_precompiled", Support::kIgnored, "Inlay compiles the module itself"},
    {"nack_on_code_cache_miss"},
    {"environment_variables"},
    {"capability_restriction_config", Support::kYes, "since Envoy 1.40"},
};
constexpr FieldRule kCapabilities[] = {{"allowed_capabilities"}};
constexpr FieldRule kEnvironmentVariables[] = {{"host_env_keys"}, {"key_values"}};
constexpr MessageRules kRules[] = {
    {"envoy.extensions.filters.http.wasm.v3.Wasm", kWasm},
    {"envoy.extensions.filters.network.wasm.v3.Wasm", kWasm},
    {"envoy.extensions.access_loggers.wasm.v3.WasmAccessLog", kWasm},
    {"envoy.extensions.wasm.v3.WasmService", kService},
    {"envoy.extensions.wasm.v3.PluginConfig", kPluginConfig},
    {"envoy.extensions.wasm.v3.ReloadConfig", kReloadConfig},
    {"envoy.config.core.v3.BackoffStrategy", kBackoffStrategy},
    {"envoy.extensions.wasm.v3.VmConfig", kVmConfig},
    {"envoy.extensions.wasm.v3.CapabilityRestrictionConfig", kCapabilities},
    {"envoy.extensions.wasm.v3.EnvironmentVariables", kEnvironmentVariables},
};

// The bytes that a guest gets for an Any (Envoy's MessageUtil::anyToBytes).
std::string configuration_bytes(View any, BuildContext& context) {
  if (!any) return "";
  const std::string& type = any.node().any_type;
  if (type == "google.protobuf.StringValue" || type == "google.protobuf.BytesValue") return any.node().text;
  if (type == "google.protobuf.Struct") {
    const std::string json = any.node().source == nullptr ? "{}" : to_json(*any.node().source);
    context.report.warning(
        any.node(),
        "the guest gets the protobuf bytes of this google.protobuf.Struct, as in Envoy, and no JSON; "
        "with a google.protobuf.StringValue it gets the text");
    return struct_bytes(json);
  }
  context.error(any, "expected google.protobuf.StringValue, BytesValue or Struct, found " + document::quote(type));
  return "";
}

void read_environment_variables(View variables, host::PluginConfig& out, BuildContext& context) {
  for (View key : variables.list("host_env_keys")) {
    const std::string& name = key.node().text;
    if (out.environment.contains(name)) {
      context.error(key, document::quote(name) + " stands twice");
      continue;
    }
    auto value = read_environment(context.options, name);
    if (value) out.environment[name] = *std::move(value);
  }
  const std::vector<std::string> host_keys = variables.texts("host_env_keys");
  const std::set<std::string> from_host(host_keys.begin(), host_keys.end());
  for (View entry : variables.list("key_values")) {
    if (from_host.contains(entry.node().key)) {
      context.error(entry,
                    document::quote(entry.node().key) + " is in `host_env_keys` too; a variable can be set once");
      continue;
    }
    out.environment[entry.node().key] = entry.node().text;
  }
}

void check_runtime(View vm, BuildContext& context) {
  static constexpr std::string_view kRuntimes[] = {"", "envoy.wasm.runtime.v8", "envoy.wasm.runtime.wasmtime",
                                                   "envoy.wasm.runtime.wamr"};
  const std::string runtime = vm.text("runtime");
  for (std::string_view known : kRuntimes)
    if (runtime == known) return;
  if (runtime == "envoy.wasm.runtime.null") {
    context.field_error(vm, "runtime",
                        "envoy.wasm.runtime.null names a plugin that is compiled into Envoy, which Inlay "
                        "cannot have; use envoy.wasm.runtime.v8 and a module");
    return;
  }
  context.field_error(vm, "runtime",
                      "expected one of envoy.wasm.runtime.v8, envoy.wasm.runtime.wasmtime, "
                      "envoy.wasm.runtime.wamr, found " +
                          document::quote(runtime));
}

void build_vm(View vm, WasmPlugin& out, BuildContext& context) {
  out.plugin.vm_id = vm.text("vm_id");
  out.plugin.runtime = vm.text("runtime");
  check_runtime(vm, context);
  out.plugin.vm_configuration = configuration_bytes(vm["configuration"], context);
  read_environment_variables(vm["environment_variables"], out.plugin, context);
  out.code = build_wasm_code(vm, context);
}

host::FailurePolicy policy_of(View plugin, BuildContext& context) {
  const int64_t policy = plugin.enumerator("failure_policy");
  if (plugin.boolean("fail_open")) {
    if (policy != 0)
      context.field_error(plugin, "fail_open", "only one of `fail_open` and `failure_policy` can be set");
    return host::FailurePolicy::kFailOpen;
  }
  if (policy == 1) return host::FailurePolicy::kFailReload;
  return policy == 3 ? host::FailurePolicy::kFailOpen : host::FailurePolicy::kFailClosed;
}

// The VM's, if it is there, be it empty; else the plugin's own.
View restriction_of(View plugin, BuildContext& context) {
  static constexpr std::string_view kName = "capability_restriction_config";
  const View own = plugin[kName];
  const View of_vm = plugin["vm_config"][kName];
  if (!of_vm) return own;
  if (!own.list("allowed_capabilities").empty()) {
    const bool lifts = of_vm.list("allowed_capabilities").empty();
    context.report.warning(own.node(),
                           lifts ? "has no effect: vm_config has an empty one, which counts, in Envoy too, and "
                                   "allows everything; leave that out, or move `allowed_capabilities` there"
                                 : "has no effect: vm_config has one, which counts, in Envoy too; leave this out");
  }
  return of_vm;
}

void read_backoff(View backoff, host::PluginConfig& out, BuildContext& context) {
  constexpr Milliseconds kShortestInEnvoy{2};  // It divides by half of the number.
  out.reload_backoff = backoff.duration("base_interval", Milliseconds(1000));
  if (context.require(backoff, "base_interval") && out.reload_backoff < Milliseconds(1)) {
    context.field_error(backoff, "base_interval", "must be at least 0.001s");
  } else if (out.failure_policy == host::FailurePolicy::kFailReload && out.reload_backoff < kShortestInEnvoy) {
    context.report.warning(backoff["base_interval"].node(),
                           "ends Envoy's process at the first reload; 0.002s and more do not");
  }
  if (View longest = backoff["max_interval"])
    context.report.warning(longest.node(), "has no effect on reloads, neither here nor in Envoy");
}

// What else tells plugins of a VM apart (Envoy 1.40): all of PluginConfig but vm_config, as it is written.
std::string identity_of(View plugin) {
  const auto number = [](auto value) { return std::to_string(value) + ","; };
  const View backoff = plugin["reload_config"]["backoff"];
  return number(plugin.enumerator("failure_policy")) + number(plugin.boolean("fail_open")) +
         number(plugin.boolean("allow_on_headers_stop_iteration")) + number(plugin.has("reload_config")) +
         number(backoff.duration("base_interval", Milliseconds(0)).count()) +
         number(backoff.duration("max_interval", Milliseconds(0)).count());
}

}  // namespace

std::span<const MessageRules> wasm_rules() {
  return kRules;
}

WasmPlugin build_wasm(View wasm, BuildContext& context) {
  WasmPlugin out;
  const View plugin = wasm["config"];
  if (!plugin) {
    context.require(wasm, "config");
    return out;
  }
  out.plugin.name = plugin.text("name");
  out.plugin.root_id = plugin.text("root_id");
  out.plugin.configuration = configuration_bytes(plugin["configuration"], context);
  out.plugin.failure_policy = policy_of(plugin, context);
  out.plugin.legacy_fail_open = plugin.boolean("fail_open");
  if (View backoff = plugin["reload_config"]["backoff"]) read_backoff(backoff, out.plugin, context);
  if (View restriction = restriction_of(plugin, context)) {
    std::set<std::string> allowed;
    for (View capability : restriction.list("allowed_capabilities")) allowed.insert(capability.node().key);
    if (!allowed.empty()) out.plugin.allowed_capabilities = std::move(allowed);
  }
  out.plugin.key_suffix = identity_of(plugin);
  out.plugin.allow_on_headers_stop_iteration = plugin.boolean("allow_on_headers_stop_iteration");
  if (context.require(plugin, "vm_config")) build_vm(plugin["vm_config"], out, context);
  return out;
}

WasmService build_wasm_service(View extension, BuildContext& context) {
  static constexpr std::string_view kServiceType = "envoy.extensions.wasm.v3.WasmService";
  WasmService out;
  out.name = extension.text("name");
  context.require(extension, "name");
  if (!context.require(extension, "typed_config")) return out;
  const TreeNode* node = context.typed(extension["typed_config"], {kServiceType}, "a bootstrap extension");
  if (node == nullptr) return out;
  out.wasm = build_wasm(View(node), context);
  out.singleton = View(node).boolean("singleton");
  return out;
}

}  // namespace inlay::config
