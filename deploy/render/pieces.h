// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pieces that several targets are made of: the Wasm filter, clusters, the standalone bootstrap.

#include <string>
#include <vector>

#include "deploy/render/configuration.h"
#include "deploy/render/target.h"
#include "deploy/render/template.h"

namespace inlay::deploy {

// outbound|8081||payments.shop.svc.cluster.local
std::string istio_cluster(std::string_view host, uint32_t port, std::string_view subset = {});

// A cluster of Envoy's, as a map.
struct ClusterSpec {
  std::string name;
  std::string host;     // for TLS
  std::string address;  // host name or IP
  uint32_t port = 0;
  bool tls = false;
  std::string what;  // for a comment: "The service header_provider."
  std::string ca = std::string(kPublicAuthorities);
  std::string pipe{};  // a socket's path, in the place of address and port
};
Result<std::string> cluster_yaml(const ClusterSpec& cluster);

// The HTTP filter, as a map. `module_path` is where the proxy finds module.file; for module.http there is
// module_cluster() among the clusters.
Result<std::string> wasm_filter_yaml(const Values& values, const ClusterNames& names, const std::string& module_path);
ClusterSpec module_cluster(const Values& values);

// The names of the variables that come from the proxy's environment.
std::vector<std::string> host_variables(const Values& values);

// "app: orders", a line a label.
std::string labels_yaml(const Values& values);

// The bootstrap of the targets envoy and compose.
struct BootstrapSpec {
  std::string address;  // where it listens
  std::string module_path;
  bool standalone = true;  // values.resolve counts
};
Result<std::string> bootstrap_yaml(const Values& values, const BootstrapSpec& spec);

// What these two targets cannot do: pull from an OCI registry, listen on a port that is taken, mount what a cluster
// gives a pod.
Result<Unit> check_standalone(const Values& values, config::Reporter& report);

// An error that has been reported.
Error refused();

// A note for each file of authorities that is not in the proxy's image.
void note_authorities(Rendering& rendering, const Values& values);

// What is rendered, plus the module when it is a file.
void add_module(Rendering& rendering, const Values& values);

}  // namespace inlay::deploy
