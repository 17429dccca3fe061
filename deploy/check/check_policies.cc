// SPDX-License-Identifier: Apache-2.0
// What becomes of requests, and fields that are old: failure-policy, old-field, schema.
#include <algorithm>

#include "deploy/check/check_resources.h"
#include "deploy/render/crd_schema.h"
#include "document/scalars.h"

namespace inlay::deploy {

using document::quote;

namespace {

constexpr std::string_view kSchemas[] = {
    "EnvoyExtensionPolicy", "EnvoyFilter", "EnvoyPatchPolicy", "ServiceEntry", "Sidecar",
    "TrafficExtension",     "WasmPlugin"};
// The groups of these kinds end so.
constexpr std::string_view kGroups[] = {"istio.io/", "gateway.envoyproxy.io/"};

}  // namespace

void check_policies(const Subject& /*subject*/, std::span<const PluginUse> plugins, Findings& findings) {
  for (const PluginUse& plugin : plugins) {
    if (!plugin.gives_headers()) continue;
    if (plugin.policy == "FAIL_OPEN")
      findings.add(Severity::kWarning, "failure-policy", plugin.site(),
                   plugin.shown() + " lets requests pass without headers when the module fails",
                   "that is FAIL_OPEN; a request without its credential is refused by its destination, or taken for "
                   "one of nobody",
                   "use FAIL_CLOSED, or FAIL_RELOAD where there is one, unless that is what you want");
    if (plugin.way == PluginUse::Way::kEnvoyFilter && plugin.url.starts_with("file://") && plugin.policy != "FAIL_OPEN")
      findings.add(
          Severity::kNote, "failure-policy", plugin.site(),
          plugin.policy + " of " + plugin.shown() + " does not count while the module's file is missing",
          "Envoy refuses the whole listener then, and without a listener the mesh's policy for what it does not know "
          "counts",
          "use TrafficExtension (Istio 1.30 on), with which such a request is answered with 500, and a Sidecar with "
          "REGISTRY_ONLY");
  }
}

void check_old_fields(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings) {
  for (const PluginUse& plugin : plugins) {
    if (plugin.fail_open != nullptr)
      findings.add(Severity::kWarning, "old-field", plugin.resource->site_of(plugin.fail_open),
                   plugin.shown() + " has `fail_open`, which Envoy has deprecated",
                   "`failure_policy` has taken its place",
                   plugin.fail_open->text == "true" ? "write `failure_policy: FAIL_OPEN`" : "leave it out");
    if (plugin.way == PluginUse::Way::kWasmPlugin)
      findings.add(Severity::kNote, "old-field", plugin.site(),
                   plugin.shown() + " becomes a TrafficExtension in istiod of 1.31",
                   "from Istio 1.30 on TrafficExtension has taken its place",
                   "use TrafficExtension where every istiod is 1.30 or later");
  }
  for (const Resource* filter : subject.manifests.of_kind("EnvoyFilter"))
    if (at(filter->source.get(), {"spec", "priority"}) == nullptr)
      findings.add(Severity::kWarning, "old-field", filter->site(),
                   "the EnvoyFilter " + quote(filter->name) + " has no `priority`, and `istioctl analyze` says IST0151",
                   "a patch that stands relative to a filter depends on the order of the resources",
                   "write `priority: 10`, less than that of what is to come later");
}

void check_schemas(const Subject& subject, std::span<const PluginUse> /*plugins*/, Findings& findings) {
  for (const Resource& resource : subject.manifests.resources) {
    const bool known = std::find(std::begin(kSchemas), std::end(kSchemas), resource.kind) != std::end(kSchemas) &&
                       std::any_of(std::begin(kGroups), std::end(kGroups), [&](std::string_view group) {
                         return resource.api_version.find(group) != std::string::npos;
                       });
    if (!known) continue;
    for (const std::string& fault : check_custom_resource(*resource.source))
      if (!fault.starts_with("apiVersion:"))  // an older version has the same fields
        findings.add(Severity::kError, "schema", resource.site(),
                     "the " + resource.kind + " " + quote(resource.name) + ": " + fault,
                     "an API server refuses it, or drops the field without a word",
                     "write what the schema of its kind has");
  }
}

}  // namespace inlay::deploy
