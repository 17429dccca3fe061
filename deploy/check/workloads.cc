// SPDX-License-Identifier: Apache-2.0
#include "deploy/check/workloads.h"

#include <algorithm>

#include "document/scalars.h"

namespace inlay::deploy {

std::vector<PodTemplate> pod_templates(const Manifests& manifests) {
  constexpr std::string_view kKinds[] = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"};
  std::vector<PodTemplate> out;
  for (const Resource& resource : manifests.resources) {
    const bool templated = std::find(std::begin(kKinds), std::end(kKinds), resource.kind) != std::end(kKinds);
    if (!templated && resource.kind != "Pod") continue;
    const Source* pod = templated ? at(resource.source.get(), {"spec", "template"}) : resource.source.get();
    const bool counted = at(resource.source.get(), {"spec", "replicas"}) != nullptr;
    out.push_back({&resource, labels_at(pod, {"metadata", "labels"}), labels_at(pod, {"metadata", "annotations"}),
                   counted ? number_at(resource.source.get(), {"spec", "replicas"}) : 1});
  }
  for (const Resource* scaler : manifests.of_kind("HorizontalPodAutoscaler"))
    for (PodTemplate& pods : out)
      if (pods.resource->name == text_at(scaler->source.get(), {"spec", "scaleTargetRef", "name"}) &&
          pods.resource->name_space == scaler->name_space)
        pods.replicas = std::max(pods.replicas, number_at(scaler->source.get(), {"spec", "maxReplicas"}));
  return out;
}

std::vector<PodTemplate> pods_of(const Manifests& manifests, const PluginUse& plugin) {
  std::vector<PodTemplate> out;
  for (PodTemplate& pods : pod_templates(manifests))
    if (pods.resource->name_space == plugin.name_space &&
        (plugin.selector.empty() || selects(plugin.selector, pods.labels)))
      out.push_back(std::move(pods));
  return out;
}

ClusterName split_cluster(std::string_view name) {
  constexpr std::string_view kOutbound = "outbound|";
  if (!name.starts_with(kOutbound)) return {};
  name.remove_prefix(kOutbound.size());
  const size_t port_end = name.find('|');
  const size_t host = name.rfind('|');
  if (port_end == std::string_view::npos || host == port_end) return {};
  const auto port = document::parse_uint(name.substr(0, port_end));
  return {std::string(name.substr(host + 1)), port ? static_cast<uint32_t>(*port) : 0};
}

bool is_service_host(std::string_view host) {
  return host.ends_with(".svc.cluster.local");
}

std::vector<ClusterName> destinations_of(const PluginUse& plugin, const Values* values) {
  std::vector<ClusterName> out;
  const Reach reach = reach_of(plugin);
  for (const std::string& cluster : reach.clusters)
    if (ClusterName name = split_cluster(cluster); !name.host.empty()) out.push_back(std::move(name));
  if (reach.all && values != nullptr)
    for (const Destination& destination : values->destinations)
      out.push_back({destination.mesh_host, destination.port});
  return out;
}

}  // namespace inlay::deploy
