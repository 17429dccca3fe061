// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "deploy/render/pieces.h"

namespace inlay::deploy {

// The name that a proxy of Istio's has for a service: istiod's own, or that of the cluster which an EnvoyFilter adds.
std::string istio_cluster_name(const Service& service);
// Those that it has for a destination: istiod's own, one for each subset, too. A waypoint has other names than all
// others.
std::vector<std::string> istio_destination_clusters(const Destination& destination, ProxyKind proxy);
ClusterNames istio_names(ProxyKind proxy);
// The clusters that istiod does not make: loopback, hosts outside, files of the proxy's container, where the module is.
std::vector<ClusterSpec> added_clusters(const Values& values);
// The ports whose requests pass the plugin.
std::vector<uint32_t> traffic_ports(const Values& values);

}  // namespace inlay::deploy
