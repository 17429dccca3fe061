// SPDX-License-Identifier: Apache-2.0
#include "deploy/check/plugin_use.h"

#include <algorithm>

#include "config/scalar_check.h"
#include "document/scalars.h"

namespace inlay::deploy {

namespace {

using Way = PluginUse::Way;

constexpr std::string_view kWasm = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
constexpr std::string_view kFlatKey = "header_providing_service_cluster";

std::string policy_of(const std::string& text) {
  return text.empty() || text == "FAIL_CLOSE" ? "FAIL_CLOSED" : text;
}

void parse_configuration(PluginUse& use) {
  if (!use.configuration_text.starts_with('{')) return;
  document::Diagnostics ignored;
  use.configuration = document::parse_source(use.configuration_text, true, "configuration", ignored);
}

// The URL of an Envoy DataSource.
std::string url_of(const Source* code) {
  const std::string file = text_at(code, {"local", "filename"});
  return file.empty() ? text_at(code, {"remote", "http_uri", "uri"}) : "file://" + file;
}

// One HTTP_FILTER patch whose value is the Wasm filter; false where it is another.
bool read_patch(const Source* patch, PluginUse& use) {
  const Source* value = at(patch, {"patch", "value"});
  const Source* config = at(value, {"typed_config", "config"});
  if (text_at(patch, {"applyTo"}) != "HTTP_FILTER" || text_at(value, {"typed_config", "@type"}) != kWasm ||
      config == nullptr)
    return false;
  use.place = value;
  use.name = text_at(config, {"name"});
  use.root_id = text_at(config, {"root_id"});
  use.vm_id = text_at(config, {"vm_config", "vm_id"});
  use.policy = policy_of(text_at(config, {"failure_policy"}));
  use.fail_open = at(config, {"fail_open"});
  if (use.fail_open != nullptr && use.fail_open->text == "true") use.policy = "FAIL_OPEN";
  const Source* code = at(config, {"vm_config", "code"});
  use.url = url_of(code);
  use.sha256 = text_at(code, {"remote", "sha256"});
  use.runtime_limits = at(config, {"capability_restriction_config"});
  use.configuration_text = text_at(config, {"configuration", "value"});
  const std::string context = text_at(patch, {"match", "context"});
  use.outbound = context != "SIDECAR_INBOUND";
  use.inbound = context != "SIDECAR_OUTBOUND" && context != "GATEWAY";
  if (const uint32_t port = number_at(patch, {"match", "listener", "portNumber"}); port != 0) use.ports = {port};
  return true;
}

// Patches of one resource that differ in their port alone are one plugin.
void add_envoy_filter(const Resource& resource, std::vector<PluginUse>& out) {
  const size_t first = out.size();
  for (const Source* patch : items_at(resource.source.get(), {"spec", "configPatches"})) {
    PluginUse use;
    use.resource = &resource;
    use.name_space = resource.name_space;
    use.selector = labels_at(resource.source.get(), {"spec", "workloadSelector", "labels"});
    use.target_refs = !items_at(resource.source.get(), {"spec", "targetRefs"}).empty();
    if (!read_patch(patch, use)) continue;
    const auto same = std::find_if(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(), [&](const auto& other) {
      return other.name == use.name && other.outbound == use.outbound && other.inbound == use.inbound &&
             other.configuration_text == use.configuration_text && !use.ports.empty() && !other.ports.empty();
    });
    if (same != out.end()) {
      same->ports.push_back(use.ports[0]);
      continue;
    }
    parse_configuration(use);
    out.push_back(std::move(use));
  }
}

void add_wasm_resource(const Resource& resource, Way way, std::vector<PluginUse>& out) {
  const Source* spec = at(resource.source.get(), {"spec"});
  const Source* wasm = way == Way::kTrafficExtension ? at(spec, {"wasm"}) : spec;
  if (wasm == nullptr) return;
  PluginUse use;
  use.way = way;
  use.resource = &resource;
  use.place = wasm;
  use.name_space = resource.name_space;
  use.name = resource.name_space + "." + resource.name;
  use.selector = labels_at(spec, {"selector", "matchLabels"});
  use.target_refs = !items_at(spec, {"targetRefs"}).empty();
  for (const Source* match : items_at(spec, {"match"})) {
    const std::string mode = text_at(match, {"mode"});
    use.outbound = use.outbound || mode != "SERVER";
    use.inbound = use.inbound || mode != "CLIENT";
    for (const Source* port : items_at(match, {"ports"})) use.ports.push_back(number_at(port, {"number"}));
  }
  if (items_at(spec, {"match"}).empty()) use.outbound = use.inbound = true;
  use.root_id = text_at(wasm, {"pluginName"});
  use.policy = policy_of(text_at(wasm, {"failStrategy"}));
  use.url = text_at(wasm, {"url"});
  if (!use.url.empty() && use.url.find("://") == std::string::npos) use.url = "oci://" + use.url;
  use.sha256 = text_at(wasm, {"sha256"});
  if (const Source* configuration = at(wasm, {"pluginConfig"}))
    use.configuration_text = config::to_json(*configuration);
  parse_configuration(use);
  out.push_back(std::move(use));
}

void add_extension_policy(const Resource& resource, std::vector<PluginUse>& out) {
  for (const Source* wasm : items_at(resource.source.get(), {"spec", "wasm"})) {
    PluginUse use;
    use.way = Way::kExtensionPolicy;
    use.resource = &resource;
    use.place = wasm;
    use.name_space = resource.name_space;
    use.target_refs = true;
    use.outbound = true;
    use.name = text_at(wasm, {"name"});
    use.root_id = text_at(wasm, {"rootID"});
    if (text_at(wasm, {"failOpen"}) == "true") use.policy = "FAIL_OPEN";
    use.url = text_at(wasm, {"code", "http", "url"});
    use.sha256 = text_at(wasm, {"code", "http", "sha256"});
    if (use.url.empty()) {
      use.url = "oci://" + text_at(wasm, {"code", "image", "url"});
      use.sha256 = text_at(wasm, {"code", "image", "sha256"});
    }
    if (const Source* configuration = at(wasm, {"config"})) use.configuration_text = config::to_json(*configuration);
    parse_configuration(use);
    out.push_back(std::move(use));
  }
}

}  // namespace

std::string PluginUse::shown() const {
  return "the " + resource->kind + " " + document::quote(resource->name);
}

bool PluginUse::gives_headers() const {
  return configuration != nullptr &&
         (configuration->find(kFlatKey) != nullptr || configuration->find("sources") != nullptr);
}

std::vector<PluginUse> find_plugins(const Manifests& manifests) {
  std::vector<PluginUse> out;
  for (const Resource& resource : manifests.resources) {
    if (resource.kind == "EnvoyFilter") add_envoy_filter(resource, out);
    if (resource.kind == "WasmPlugin") add_wasm_resource(resource, Way::kWasmPlugin, out);
    if (resource.kind == "TrafficExtension") add_wasm_resource(resource, Way::kTrafficExtension, out);
    if (resource.kind == "EnvoyExtensionPolicy") add_extension_policy(resource, out);
  }
  return out;
}

Reach reach_of(const PluginUse& plugin) {
  Reach reach;
  const auto rules = items_at(plugin.configuration.get(), {"rules"});
  if (rules.empty()) return {true, {}};
  for (const Source* rule : rules) {
    const std::string cluster = text_at(rule, {"match", "cluster"});
    const Source* use = rule->find("use");
    const bool gives = use == nullptr || use->kind != Source::Kind::kList || !use->items.empty();
    if (gives && cluster.empty()) return {true, {}};
    if (gives && std::find(reach.clusters.begin(), reach.clusters.end(), cluster) == reach.clusters.end())
      reach.clusters.push_back(cluster);
    const Source* match = rule->find("match");
    if (!gives && (match == nullptr || match->entries.empty())) break;  // no later rule is looked at
  }
  return reach;
}

}  // namespace inlay::deploy
