// SPDX-License-Identifier: Apache-2.0
#include "config/dynamic_resources.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "base/temporary_directory.h"

namespace inlay::config {
namespace {

constexpr const char* kListener = R"(version_info: "7"
resources:
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: from_file
  address: {socket_address: {address: 127.0.0.1, port_value: 10001}}
  filter_chains:
  - filters:
    - name: tcp
      typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: t, cluster: from_file}
)";
constexpr const char* kCluster =
    R"({"resources": [{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "from_file",
  "connect_timeout": "3s"}]})";
constexpr const char* kBootstrap = R"(node: {id: a, cluster: b}
dynamic_resources:
  lds_config: {path_config_source: {path: lds.yaml}, resource_api_version: V3}
  cds_config: {path: cds.json}
static_resources: {clusters: [{name: own}]}
)";

class DynamicResources : public ::testing::Test {
 protected:
  DynamicResources() {
    options_.base_dir = folder_.path();
    options_.on_file = [this](const std::string& path, LoadOptions::FileKind kind) {
      EXPECT_EQ(kind, LoadOptions::FileKind::kDynamic);
      files_.push_back(path);
    };
    write("lds.yaml", kListener);
    write("cds.json", kCluster);
  }
  void write(const std::string& name, std::string_view text) { std::ofstream(folder_.file(name)) << text; }
  std::string mistake(const std::string& file, std::string text, std::string_view old, std::string_view fresh) {
    text.replace(text.find(old), old.size(), fresh);
    write(file, text);
    return load();
  }
  // What is said, without the folder's name; empty if it loads.
  std::string load(const std::string& bootstrap = kBootstrap) {
    document::Diagnostics diagnostics;
    files_.clear();
    loaded_ = load_text(bootstrap, "envoy.yaml", options_, diagnostics);
    EXPECT_EQ(static_cast<bool>(*loaded_), diagnostics.errors() == 0);
    std::string text;
    const std::string folder = folder_.path() + "/";
    for (std::string said = diagnostics.to_string(); !said.empty();) {
      const size_t end = said.find('\n') + 1;
      std::string line = said.substr(0, end);
      said.erase(0, end);
      if (line.find("warning: ") != std::string::npos) continue;
      for (size_t at; (at = line.find(folder)) != std::string::npos;) line.erase(at, folder.size());
      text += line;
    }
    return text;
  }

  const TemporaryDirectory folder_{"inlay-dynamic-resources-"};
  LoadOptions options_;
  std::vector<std::string> files_;
  std::optional<Result<Bootstrap>> loaded_;
};

TEST_F(DynamicResources, StandBesideStaticOnes) {
  ASSERT_EQ(load(), "");
  const Bootstrap& bootstrap = **loaded_;
  ASSERT_EQ(bootstrap.listeners.size(), 1u);
  EXPECT_EQ(bootstrap.listeners[0].name, "from_file");
  EXPECT_EQ(bootstrap.listeners[0].address.port, 10001);
  ASSERT_EQ(bootstrap.clusters.size(), 2u);
  EXPECT_EQ(bootstrap.clusters[1].name, "from_file");
  EXPECT_EQ(files_, (std::vector<std::string>{folder_.file("cds.json"), folder_.file("lds.yaml")}));
}

TEST_F(DynamicResources, MayBeNone) {
  write("lds.yaml", "resources: []");
  write("cds.json", "{}");
  EXPECT_EQ(load(), "");
  EXPECT_TRUE((*loaded_)->listeners.empty());
}

TEST_F(DynamicResources, NeedANode) {
  const std::string without = std::string(kBootstrap).substr(std::string(kBootstrap).find('\n') + 1);
  EXPECT_EQ(load(without),
            "envoy.yaml:1:1: error: dynamic_resources: needs the node's `id` and `cluster`, as in Envoy, here or by "
            "--service-node and --service-cluster\n");
  options_.node_is_given = true;
  EXPECT_EQ(load(without), "");
  EXPECT_EQ(load("dynamic_resources: {}\n"), "");
}

TEST_F(DynamicResources, MistakesAreNamedWhereTheyStand) {
  EXPECT_EQ(mistake("lds.yaml", kListener, "port_value: 10001", "port_value: none"),
            "lds.yaml:5:50: error: resources[0].address.socket_address.port_value: expected a whole number from 0 to "
            "4294967295, found the string `none`\n");
  EXPECT_EQ(mistake("lds.yaml", kListener, "name: from_file", "nome: from_file"),
            "lds.yaml:4:3: error: resources[0].nome: no such field in envoy.config.listener.v3.Listener; did you mean "
            "`name`?\n");
  EXPECT_EQ(mistake("lds.yaml", kListener, "listener.v3.Listener", "cluster.v3.Cluster"),
            "lds.yaml:3:12: error: resources[0].@type: must have `\"@type\": "
            "type.googleapis.com/envoy.config.listener.v3.Listener`, has "
            "`type.googleapis.com/envoy.config.cluster.v3.Cluster`\n");
  EXPECT_EQ(mistake("lds.yaml", kListener, "\"@type\": type.googleapis.com/envoy.config.listener.v3.Listener\n  name",
                    "name"),
            "lds.yaml:3:3: error: resources[0]: must have `\"@type\": "
            "type.googleapis.com/envoy.config.listener.v3.Listener`\n");
  EXPECT_EQ(mistake("lds.yaml", kListener, "resources:", "listeners:"),
            "lds.yaml:2:1: error: listeners: no such field in envoy.service.discovery.v3.DiscoveryResponse; the file "
            "has `resources`, a "
            "list of listeners\n");
  EXPECT_EQ(mistake("lds.yaml", "resources: {a: b}", "a", "a"),
            "lds.yaml:1:12: error: resources: expected a list of listeners\n");
  EXPECT_EQ(mistake("lds.yaml", "- a", "a", "a"),
            "lds.yaml:1:1: error: expected a DiscoveryResponse: a map with `resources`, a list of listeners\n");
  write("lds.yaml", kListener);
  EXPECT_EQ(mistake("cds.json", kCluster, "\"3s\"", "\"-3s\""),
            "cds.json:2:3: error: resources[0].connect_timeout: a duration must not be negative\n"
            "cds.json:2:3: error: resources[0].connect_timeout: must be greater than 0s\n");
  EXPECT_NE(mistake("cds.json", kCluster, "from_file", "own").find("a cluster named `own` stands at"),
            std::string::npos);
}

TEST_F(DynamicResources, FilesThatAreNotThere) {
  std::remove(folder_.file("cds.json").c_str());
  EXPECT_EQ(load(),
            "envoy.yaml:4:3: error: dynamic_resources.cds_config: cannot read cds.json: No such file or directory\n");
  EXPECT_EQ(files_.size(), 2u);  // it may come
}

TEST_F(DynamicResources, ServersAreNotAsked) {
  const std::string node = "node: {id: a, cluster: b}\n";
  EXPECT_NE(load(node + "dynamic_resources: {lds_config: {ads: {}}}\n").find("Inlay asks no xDS server"),
            std::string::npos);
  EXPECT_NE(load(node + "dynamic_resources: {lds_config: {}}\n").find("needs `path_config_source: {path: FILE}`"),
            std::string::npos);
}

}  // namespace
}  // namespace inlay::config
