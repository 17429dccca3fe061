// SPDX-License-Identifier: Apache-2.0
// What Envoy does otherwise from one minor version on, of what these plugins and their configuration touch: version.
#include <algorithm>

#include "deploy/check/check_resources.h"

namespace inlay::deploy {

namespace {

bool signs(const Subject& /*subject*/, const PluginUse& plugin, std::span<const PluginUse> /*all*/) {
  const auto sources = items_at(plugin.configuration.get(), {"sources"});
  return std::any_of(sources.begin(), sources.end(), [](const Source* source) {
    return text_at(source, {"oauth2", "auth_method"}) == "private_key_jwt";
  });
}

bool is_foreign(const Subject& /*subject*/, const PluginUse& plugin, std::span<const PluginUse> /*all*/) {
  return !plugin.gives_headers();
}

bool is_filter(const Subject& /*subject*/, const PluginUse& plugin, std::span<const PluginUse> /*all*/) {
  return plugin.gives_headers();
}

bool is_any(const Subject& /*subject*/, const PluginUse& /*plugin*/, std::span<const PluginUse> /*all*/) {
  return true;
}

bool has_path_rules(const Subject& /*subject*/, const PluginUse& plugin, std::span<const PluginUse> /*all*/) {
  const auto rules = items_at(plugin.configuration.get(), {"rules"});
  return std::any_of(rules.begin(), rules.end(), [](const Source* rule) {
    return at(rule, {"match", "path"}) != nullptr || at(rule, {"match", "path_prefix"}) != nullptr;
  });
}

// Whether a cluster that an EnvoyFilter or an EnvoyPatchPolicy adds is so.
template <class Predicate>
bool adds_cluster(const Subject& subject, Predicate predicate) {
  for (const Resource& resource : subject.manifests.resources) {
    for (const Source* patch : items_at(resource.source.get(), {"spec", "configPatches"}))
      if (text_at(patch, {"applyTo"}) == "CLUSTER" && predicate(at(patch, {"patch", "value"}))) return true;
    for (const Source* patch : items_at(resource.source.get(), {"spec", "jsonPatches"}))
      if (text_at(patch, {"type"}).ends_with(".Cluster") && predicate(at(patch, {"operation", "value"}))) return true;
  }
  return false;
}

bool calls_over_tls(const Subject& subject, const PluginUse& plugin, std::span<const PluginUse> /*all*/) {
  return plugin.gives_headers() &&
         adds_cluster(subject, [](const Source* cluster) { return at(cluster, {"transport_socket"}) != nullptr; });
}

bool calls_by_dns(const Subject& subject, const PluginUse& plugin, std::span<const PluginUse> /*all*/) {
  return plugin.gives_headers() &&
         adds_cluster(subject, [](const Source* cluster) { return text_at(cluster, {"type"}).ends_with("_DNS"); });
}

bool has_restrictions(const Subject& /*subject*/, const PluginUse& plugin, std::span<const PluginUse> /*all*/) {
  return plugin.runtime_limits != nullptr;
}

bool has_a_twin(const Subject& /*subject*/, const PluginUse& plugin, std::span<const PluginUse> all) {
  return std::any_of(all.begin(), all.end(), [&](const PluginUse& other) {
    return other.resource == plugin.resource && other.name == plugin.name && other.root_id == plugin.root_id &&
           other.vm_id == plugin.vm_id && other.configuration_text == plugin.configuration_text &&
           other.policy != plugin.policy;
  });
}

// Change is one difference between two versions of Envoy.
struct Change {
  uint32_t since;    // the minor version that has `now`
  bool seen;         // in both versions; else it stands in Envoy's release notes only
  Severity forward;  // how bad it is to get it
  Severity back;     // how bad it is to lose it
  bool (*touches)(const Subject& subject, const PluginUse& plugin, std::span<const PluginUse> all);
  std::string_view before;
  std::string_view now;
  std::string_view todo;
};

constexpr Change kChanges[] = {
    {33, false, Severity::kWarning, Severity::kNote, is_foreign,
     "properties such as `route_metadata` and `cluster_name` are there", "they are gone",
     "ask for `xds.route_metadata` and `xds.cluster_name`; `inlay test` runs the module as the new version does"},
    {37, true, Severity::kNote, Severity::kError, signs,
     "there is no function that signs: each fetch with `private_key_jwt` fails (`fetch_failed.not_signed`)",
     "the proxy signs for the plugin", "stay at 1.37 or later, or authenticate the client in another way"},
    {37, false, Severity::kNote, Severity::kNote, is_any,
     "an Envoy without `--concurrency` has a worker for each processor of the machine, whatever the container may use",
     "it has no more than the container's limit of processors",
     "count on a VM of each plugin for each worker: memory, and requests a second, change with it"},
    {37, false, Severity::kNote, Severity::kNote, is_foreign,
     "a function of Envoy's own that a plugin calls for a request can get the root context", "it gets the request's",
     "see whether the module calls some (`inlay inspect`)"},
    {38, true, Severity::kWarning, Severity::kNote, calls_over_tls,
     "a provider may show an RSA certificate whose key usage is not for signatures",
     "the handshake with it fails: each fetch ends with 503, `remote connection failure`",
     "look at `keyUsage` of the providers' certificates: it must have `digitalSignature`, or be left out"},
    {38, true, Severity::kNote, Severity::kNote, is_any, "a quantile of few values is read from the end of its bucket",
     "it is read from the middle: 7.05, and not 7.1, for 7", "look at alerts on histograms that get few values"},
    {39, true, Severity::kNote, Severity::kWarning, has_path_rules,
     "a listener that normalizes paths leaves `/a/..;/b` as it is, so that a rule for `/a` meets it",
     "from 1.39.3 on it makes `/b` of that, as the destination may, and rules see `/b`",
     "nothing: the new one closes a way around rules by path"},
    {39, false, Severity::kNote, Severity::kNote, calls_by_dns, "clusters of DNS names have the old implementation",
     "they have the new one", "watch `cluster.NAME.update_failure` of the providers after the change"},
    {40, false, Severity::kNote, Severity::kWarning, calls_by_dns,
     "where the name server fails for one kind of address, a provider's hosts can go away", "those that there are stay",
     "nothing"},
    {39, true, Severity::kNote, Severity::kWarning, is_foreign,
     "what comes of a body after a plugin has resumed it in the middle is lost, and the request hangs", "it passes",
     "see whether the module holds bodies (`inlay inspect`)"},
    {39, true, Severity::kNote, Severity::kNote, is_filter,
     "the body of a call that was refused has the transport's reason, which the filter writes into the log",
     "it has not", "look at rules on the text of the log"},
    {39, true, Severity::kNote, Severity::kWarning, is_foreign,
     "plugins of one vm_id that differ in their environment share a VM", "each has its own",
     "give plugins a vm_id of their own"},
    {40, true, Severity::kWarning, Severity::kWarning, has_restrictions,
     "plugins of one VM have the capabilities of the first one",
     "each has its own VM; the plugin's own field is deprecated",
     "move it to `vm_config.capability_restriction_config`, once every proxy is 1.40"},
    {40, true, Severity::kNote, Severity::kNote, has_a_twin,
     "plugins that differ in `failure_policy` alone have one root context", "each has its own, and fetches for itself",
     "count on twice as many calls"},
};

std::string version_text(uint32_t minor) {
  return "1." + std::to_string(minor);
}

void add_change(const Change& change, const Subject& subject, const PluginUse& plugin, Findings& findings) {
  const bool forward = subject.from < subject.to;
  findings.add(
      forward ? change.forward : change.back, "version", plugin.site(),
      "for " + plugin.shown() + ", in Envoy " + version_text(subject.to) + ": " +
          std::string(forward ? change.now : change.before),
      "in Envoy " + version_text(subject.from) + ": " + std::string(forward ? change.before : change.now) +
          "; it changed with " + version_text(change.since) +
          (change.seen ? " (seen in a version before and in one after)" : " (Envoy's release notes; not run here)"),
      std::string(change.todo));
}

}  // namespace

void check_versions(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings) {
  const uint32_t low = std::min(subject.from, subject.to);
  const uint32_t high = std::max(subject.from, subject.to);
  if (low == 0) return;
  for (const Change& change : kChanges) {
    if (change.since <= low || change.since > high) continue;
    for (const PluginUse& plugin : plugins)
      if (change.touches(subject, plugin, plugins)) add_change(change, subject, plugin, findings);
  }
}

}  // namespace inlay::deploy
