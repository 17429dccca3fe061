// SPDX-License-Identifier: Apache-2.0
// Whom a credential goes to: token-reach and other-host.
#include <algorithm>

#include "deploy/check/check_resources.h"
#include "deploy/check/workloads.h"
#include "deploy/render/istio.h"
#include "document/scalars.h"

namespace inlay::deploy {

using document::quote;

namespace {

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

std::string ports_text(const PluginUse& plugin) {
  if (plugin.ports.empty()) return "any port";
  std::string out;
  for (uint32_t port : plugin.ports) out += (out.empty() ? "" : ", ") + std::to_string(port);
  return (plugin.ports.size() == 1 ? "port " : "ports ") + out;
}

// Whether a Sidecar keeps the plugin's pods to the hosts that it names.
bool registry_only(const Subject& subject, const PluginUse& plugin) {
  const auto sidecars = subject.manifests.of_kind("Sidecar");
  return std::any_of(sidecars.begin(), sidecars.end(), [&](const Resource* sidecar) {
    const Labels selector = labels_at(sidecar->source.get(), {"spec", "workloadSelector", "labels"});
    return sidecar->name_space == plugin.name_space && (selector.empty() || selects(selector, plugin.selector)) &&
           text_at(sidecar->source.get(), {"spec", "outboundTrafficPolicy", "mode"}) == "REGISTRY_ONLY";
  });
}

constexpr std::string_view kTodo =
    "give its configuration a rule for each destination, `{match: {cluster: 'outbound|PORT||HOST'}}`, and a last one, "
    "`{use: "
    "[]}`, as `inlay deploy render istio` does";

}  // namespace

void check_token_reach(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings) {
  for (const PluginUse& plugin : plugins) {
    if (!plugin.outbound || !plugin.gives_headers()) continue;
    const Reach reach = reach_of(plugin);
    if (plugin.way == PluginUse::Way::kExtensionPolicy) {
      if (reach.all)
        findings.add(Severity::kNote, "token-reach", plugin.site(),
                     plugin.shown() + " gives headers to each request of the routes that it targets",
                     "Envoy Gateway has the plugin on for those routes alone",
                     "target the routes of the destinations only");
    } else if (!reach.all) {
      findings.add(Severity::kNote, "token-reach", plugin.site(),
                   plugin.shown() + " gives headers to requests to " + joined(reach.clusters) + " and to no others",
                   "its rules name clusters", "see that each of them is to have the credential");
    } else if (registry_only(subject, plugin)) {
      findings.add(Severity::kWarning, "token-reach", plugin.site(),
                   plugin.shown() + " gives headers to every host that the Sidecar names, on " + ports_text(plugin),
                   "with REGISTRY_ONLY no other host is reached, but a listener takes each request to its port",
                   std::string(kTodo));
    } else {
      findings.add(
          Severity::kError, "token-reach", plugin.site(),
          plugin.shown() + " gives headers to every host that is called on " + ports_text(plugin) +
              ", in the mesh and outside of it",
          "a listener of a mesh takes each request to its port, and by default passes through what is for a host that "
          "the mesh does not know",
          std::string(kTodo));
    }
  }
}

void check_other_hosts(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings) {
  if (subject.values == nullptr) return;
  std::vector<std::string> wanted;
  for (const Destination& destination : subject.values->destinations)
    for (std::string& name : istio_destination_clusters(destination, subject.values->proxy))
      wanted.push_back(std::move(name));
  for (const PluginUse& plugin : plugins) {
    if (!plugin.outbound || !plugin.gives_headers()) continue;
    for (const std::string& cluster : reach_of(plugin).clusters)
      if (std::find(wanted.begin(), wanted.end(), cluster) == wanted.end())
        findings.add(Severity::kError, "other-host", plugin.site(),
                     plugin.shown() + " gives headers to requests to " + quote(cluster) +
                         ", which is no destination of the values file",
                     "a rule names it", "add it to `traffic.destinations`, or render again");
  }
}

}  // namespace inlay::deploy
