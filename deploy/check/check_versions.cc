// SPDX-License-Identifier: Apache-2.0
// What Envoy does otherwise from one minor version on, of what these plugins and their configuration touch: version.
#include <algorithm>

#include "deploy/check/check_resources.h"

namespace inlay::deploy {

namespace {

bool signs(const PluginUse& plugin, std::span<const PluginUse> /*all*/) {
  const auto sources = items_at(plugin.configuration.get(), {"sources"});
  return std::any_of(sources.begin(), sources.end(), [](const Source* source) {
    return text_at(source, {"oauth2", "auth_method"}) == "private_key_jwt";
  });
}

bool is_foreign(const PluginUse& plugin, std::span<const PluginUse> /*all*/) {
  return !plugin.gives_headers();
}

bool is_filter(const PluginUse& plugin, std::span<const PluginUse> /*all*/) {
  return plugin.gives_headers();
}

bool has_restrictions(const PluginUse& plugin, std::span<const PluginUse> /*all*/) {
  return plugin.runtime_limits != nullptr;
}

bool has_a_twin(const PluginUse& plugin, std::span<const PluginUse> all) {
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
  bool (*touches)(const PluginUse& plugin, std::span<const PluginUse> all);
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
      if (change.touches(plugin, plugins)) add_change(change, subject, plugin, findings);
  }
}

}  // namespace inlay::deploy
