// SPDX-License-Identifier: Apache-2.0
// Where the module comes from: module-size and module-source.
#include <algorithm>
#include <filesystem>

#include "deploy/check/check_resources.h"
#include "deploy/check/workloads.h"
#include "document/scalars.h"

namespace inlay::deploy {

using document::quote;

namespace {

constexpr uint64_t kConfigMapLimit = uint64_t{1} << 20;
constexpr uint64_t kAnnotationLimit = uint64_t{256} << 10;

void check_size(const Resource& resource, const Source* place, const std::string& name, uint64_t size,
                Findings& findings) {
  if (size > kConfigMapLimit) {
    findings.add(Severity::kError, "module-size", resource.site_of(place),
                 quote(name) + " has " + std::to_string(size) + " bytes, and a ConfigMap holds at most " +
                     std::to_string(kConfigMapLimit),
                 "Kubernetes refuses a larger one",
                 "strip it (`wasm-strip`, `wasm-opt -Oz`), or put it into a registry and use `module.oci`");
  } else if (size > kAnnotationLimit) {
    findings.add(
        Severity::kWarning, "module-size", resource.site_of(place),
        quote(name) + " has " + std::to_string(size) + " bytes: `kubectl apply` without --server-side refuses it",
        "it keeps a copy of what it applies in an annotation, and annotations hold 262144 bytes",
        "apply it with `kubectl apply --server-side`");
  }
}

bool mounts(const PodTemplate& pods, const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  return std::any_of(pods.annotations.begin(), pods.annotations.end(), [&](const auto& annotation) {
    return annotation.first == "sidecar.istio.io/userVolumeMount" &&
           annotation.second.find(folder) != std::string::npos;
  });
}

// What was seen of a module that is missing when the proxy starts: docs/guide/deploy.md.
std::string missing_module(const PluginUse& plugin) {
  if (plugin.way != PluginUse::Way::kEnvoyFilter)
    return "a proxy that does not find it answers 500 on the plugin's ports, whatever `failStrategy` says";
  return plugin.inbound
             ? "a proxy that does not find it refuses the listener of all inbound ports: the pod is not reachable"
             : "a proxy that does not find it refuses the listener, and requests go on without headers where the mesh "
               "passes through what it does not know, whatever `failure_policy` says";
}

void check_file(const Subject& subject, const PluginUse& plugin, Findings& findings) {
  const std::string path = plugin.url.substr(std::string_view("file://").size());
  const auto pods = pods_of(subject.manifests, plugin);
  if (std::any_of(pods.begin(), pods.end(), [&](const PodTemplate& one) { return mounts(one, path); })) return;
  findings.add(
      pods.empty() ? Severity::kNote : Severity::kWarning, "module-source", plugin.site(),
      "nothing here mounts " + path + " into the proxy of " + plugin.shown(), missing_module(plugin),
      "apply what `inlay deploy render kubernetes` makes first: a ConfigMap, and the annotations that mount it");
}

}  // namespace

void check_module_size(const Subject& subject, std::span<const PluginUse> /*plugins*/, Findings& findings) {
  std::vector<const Resource*> kustomizations = subject.manifests.of_kind("Kustomization");
  for (const Resource* component : subject.manifests.of_kind("Component")) kustomizations.push_back(component);
  for (const Resource* kustomization : kustomizations)
    for (const Source* generator : items_at(kustomization->source.get(), {"configMapGenerator"}))
      for (const Source* file : items_at(generator, {"files"})) {
        const std::string name = file->text.substr(file->text.find('=') + 1);
        const auto path = std::filesystem::path(kustomization->file).parent_path() / name;
        for (const ModuleFile& module : subject.manifests.modules)
          if (std::filesystem::path(module.file).lexically_normal() == path.lexically_normal())
            check_size(*kustomization, file, name, module.size, findings);
      }
  for (const Resource* map : subject.manifests.of_kind("ConfigMap"))
    for (const auto& [name, base64] : labels_at(map->source.get(), {"binaryData"}))
      check_size(*map, at(map->source.get(), {"binaryData"}), name, base64.size() / 4 * 3, findings);
}

void check_module_source(const Subject& subject, std::span<const PluginUse> plugins, Findings& findings) {
  for (const PluginUse& plugin : plugins) {
    const bool http = plugin.url.starts_with("http://") || plugin.url.starts_with("https://");
    if (plugin.url.starts_with("file://")) {
      check_file(subject, plugin, findings);
    } else if (plugin.url.starts_with("oci://") && plugin.sha256.empty() &&
               plugin.url.find("@sha256:") == std::string::npos) {
      findings.add(Severity::kWarning, "module-source", plugin.site(),
                   plugin.shown() + " pulls " + quote(plugin.url) + ", which can become another module",
                   "a tag is moved by whoever may push", "name the digest: `oci://registry/name@sha256:...`");
    } else if (http && plugin.sha256.empty()) {
      findings.add(Severity::kError, "module-source", plugin.site(),
                   plugin.shown() + " runs whatever " + quote(plugin.url) + " gives", "it names no sha256",
                   "add the module's");
    } else if (http && plugin.way == PluginUse::Way::kEnvoyFilter) {
      findings.add(Severity::kWarning, "module-source", plugin.site(),
                   plugin.shown() + " has Envoy fetch the module by itself",
                   "Envoy warns that its fetch of remote code is unstable and may crash it",
                   "use TrafficExtension or WasmPlugin, with which the pod's agent fetches it");
    }
  }
}

}  // namespace inlay::deploy
