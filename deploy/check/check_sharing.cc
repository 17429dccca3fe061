// SPDX-License-Identifier: Apache-2.0
// What several pods, or several plugins of a pod, have in common: one-assertion and shared-data.
#include <algorithm>

#include "deploy/check/check_resources.h"
#include "deploy/check/workloads.h"
#include "document/scalars.h"

namespace inlay::deploy {

using document::quote;

namespace {

// istiod takes what stands in the root namespace for all namespaces.
constexpr std::string_view kRootNamespace = "istio-system";

bool in_one_namespace(const PluginUse& a, const PluginUse& b) {
  return a.name_space == b.name_space || a.name_space == kRootNamespace || b.name_space == kRootNamespace;
}

// Whether a pod can have the labels of both.
bool agree(const Labels& a, const Labels& b) {
  return std::all_of(a.begin(), a.end(), [&](const auto& label) {
    return std::all_of(b.begin(), b.end(),
                       [&](const auto& other) { return label.first != other.first || label.second == other.second; });
  });
}

std::string vm_text(const PluginUse& plugin) {
  return plugin.vm_id.empty() ? "no vm_id" : "the vm_id " + quote(plugin.vm_id);
}

}  // namespace

void check_assertions(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings) {
  for (const PluginUse& plugin : plugins) {
    uint32_t replicas = 0;
    for (const PodTemplate& pods : pods_of(subject.manifests, plugin)) replicas += pods.replicas;
    for (const Source* source : items_at(plugin.configuration.get(), {"sources"})) {
      const std::string name = quote(text_at(source, {"name"}));
      if (text_at(source, {"oauth2", "grant_type"}) == "jwt_bearer" && replicas > 1)
        findings.add(
            Severity::kWarning, "one-assertion", plugin.site(),
            "the source " + name + " sends the assertion of a request once from each of " + std::to_string(replicas) +
                " pods that the same token comes to",
            "servers refuse an assertion that they have seen (RFC 7523 section 3, `jti`), and pods share no memory",
            "use `grant_type: token_exchange`, or send all requests of a caller to one pod (consistent hashing)");
      const std::string assertion = text_at(source, {"oauth2", "client_assertion"});
      if (!assertion.empty() && assertion.find("${source:") == std::string::npos)
        findings.add(
            Severity::kWarning, "one-assertion", plugin.site(),
            "the source " + name + " sends one assertion for every call of every pod",
            "servers refuse an assertion that they have seen (RFC 7523 section 3, `jti`), and this one never changes",
            "take it from a file that is renewed, by `${source:NAME}`, or sign each one: `auth_method: "
            "private_key_jwt`");
    }
  }
}

void check_shared_data(const Subject& /*subject*/, std::span<const PluginUse> plugins, Findings& findings) {
  for (const PluginUse& plugin : plugins) {
    if (!plugin.gives_headers()) continue;
    for (const PluginUse& other : plugins) {
      if (&other == &plugin || other.vm_id != plugin.vm_id || !in_one_namespace(plugin, other) ||
          !agree(plugin.selector, other.selector) || (other.gives_headers() && &other < &plugin))
        continue;
      findings.add(Severity::kWarning, "shared-data", other.site(),
                   other.shown() + " can read what " + plugin.shown() + " shares among its workers, tokens among it",
                   "both have " + vm_text(plugin) + ", and a vm_id is what shared data belongs to",
                   plugin.vm_id.empty()
                       ? "trust whoever applies it with the tokens, or use an EnvoyFilter with a vm_id of its own"
                       : "give each a vm_id of its own");
    }
  }
}

}  // namespace inlay::deploy
