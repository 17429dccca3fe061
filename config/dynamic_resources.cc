// SPDX-License-Identifier: Apache-2.0
// config/bootstrap/v3 Bootstrap.DynamicResources.
#include "config/dynamic_resources.h"

#include <string_view>

#include "config/builders.h"
#include "config/discovery_response.h"
#include "config/support.h"
#include "config/view.h"

namespace inlay::config {

namespace {

constexpr FieldRule kDynamicResources[] = {
    {"lds_config", Support::kYes, "a path"},
    {"cds_config", Support::kYes, "a path"},
    {"lds_resources_locator", Support::kNo, kNoXdsServer},
    {"cds_resources_locator", Support::kNo, kNoXdsServer},
    {"ads_config", Support::kNo, kNoXdsServer},
};
constexpr MessageRules kRules[] = {
    {"envoy.config.bootstrap.v3.Bootstrap.DynamicResources", kDynamicResources},
};

constexpr std::string_view kSdsConfig = "envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig";
constexpr ResourceKind kSecrets{"secrets", "envoy.extensions.transport_sockets.tls.v3.Secret"};

// By the field of dynamic_resources.
struct Kind {
  std::string_view config;
  ResourceKind resources;
};
constexpr Kind kKinds[] = {
    {"cds_config", {"clusters", "envoy.config.cluster.v3.Cluster"}},
    {"lds_config", {"listeners", "envoy.config.listener.v3.Listener"}},
};

void require_node(const Tree& tree, View place, const LoadOptions& options, Reporter& report) {
  const View node = View(tree.root)["node"];
  if (options.node_is_given || (!node.text("id").empty() && !node.text("cluster").empty())) return;
  report.error(place.node(),
               "needs the node's `id` and `cluster`, as in Envoy, here or by --service-node and --service-cluster");
}

// The SdsSecretConfigs below `node` that name a file.
void collect_sources(const TreeNode& node, std::vector<View>& found) {
  if (node.message != nullptr && node.message->name == kSdsConfig) {
    if (const View source = View(&node)["sds_config"]) found.push_back(source);
    return;
  }
  for (const TreeNode* child : node.children) collect_sources(*child, found);
}

}  // namespace

std::span<const MessageRules> dynamic_resources_rules() {
  return kRules;
}

SecretFiles read_dynamic_resources(Tree& tree, uint32_t file, const LoadOptions& options, Reporter& report,
                                   document::Diagnostics& diagnostics) {
  const View dynamic = View(tree.root)["dynamic_resources"];
  if (dynamic.has("lds_config") || dynamic.has("cds_config")) require_node(tree, dynamic, options, report);
  for (const Kind& kind : kKinds) {
    const View source = dynamic[kind.config];
    if (!source) continue;
    const std::string path = path_of(source, options, report);
    if (!path.empty() && merge_response(tree, kind.resources, source, path, file, options, report, diagnostics)) ++file;
  }
  SecretFiles secrets;
  std::vector<View> sources;
  if (tree.root != nullptr) collect_sources(*tree.root, sources);
  for (const View source : sources) {
    const std::string path = path_of(source, options, report);
    if (path.empty() || secrets.contains(path)) continue;
    if (secrets.empty()) require_node(tree, source, options, report);
    const bool read = merge_response(tree, kSecrets, source, path, file, options, report, diagnostics);
    secrets.emplace(path, read ? file++ : 0);
  }
  return secrets;
}

}  // namespace inlay::config
