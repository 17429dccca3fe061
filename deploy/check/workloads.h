// SPDX-License-Identifier: Apache-2.0
#pragma once

// What manifests say of pods, and of the Services before them.

#include <string>
#include <vector>

#include "deploy/check/plugin_use.h"
#include "deploy/render/values.h"

namespace inlay::deploy {

// PodTemplate is what a resource says of its pods: a Deployment, StatefulSet, DaemonSet, ReplicaSet or Pod.
struct PodTemplate {
  const Resource* resource = nullptr;
  Labels labels;
  Labels annotations;
  uint32_t replicas = 1;
};
std::vector<PodTemplate> pod_templates(const Manifests& manifests);
// Those whose pods a plugin is for.
std::vector<PodTemplate> pods_of(const Manifests& manifests, const PluginUse& plugin);

// The host and the port of istiod's cluster name "outbound|8081|subset|payments.shop.svc.cluster.local"; an empty host
// for another.
struct ClusterName {
  std::string host;
  uint32_t port = 0;
};
ClusterName split_cluster(std::string_view name);
// Whether it is the name of a Service of the cluster, NAME.NAMESPACE.svc.cluster.local.
bool is_service_host(std::string_view host);

// The hosts and ports that an outbound plugin gives headers to, as its rules or the values file say.
std::vector<ClusterName> destinations_of(const PluginUse& plugin, const Values* values);

}  // namespace inlay::deploy
