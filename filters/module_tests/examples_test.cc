// SPDX-License-Identifier: Apache-2.0
// Every file under examples/header_augmenting is a bootstrap that the loader takes without an error, with a
// configuration that the compiled filter takes; or, X.istio.yaml, resources whose WasmPlugin has the configuration of
// X.yaml, with Istio's names for the clusters. tests/test_examples.py runs the bootstraps.
#include <gtest/gtest.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <variant>
#include <vector>

#include "config/load.h"
#include "testkit/guest_fixture.h"
#include "testkit/proxy.h"

namespace inlay::testkit {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModule = INLAY_BINARY_DIR "/wasm/header_augmenting.wasm";

std::vector<fs::path> examples(bool istio) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(INLAY_SOURCE_DIR "/examples/header_augmenting")) {
    const bool is_istio = entry.path().stem().extension() == ".istio";
    if (entry.path().extension() == ".yaml" && is_istio == istio) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// start: has the filter read the configuration of `plugin`, and expects that it likes it.
void start(const std::vector<uint8_t>& module, const host::PluginConfig& plugin, const fs::path& file) {
  ProxyOptions options;
  options.engine = engine::EngineKind::kInterp;
  TestProxy proxy(options);
  const auto loaded = proxy.load(module, plugin);
  EXPECT_TRUE(loaded) << file << ": " << loaded.error().to_string();
  EXPECT_EQ(proxy.log().count("configuration:"), 0u) << file << "\n" << proxy.log().text();
}

// The folder that the examples are read from, with the module where `make build` leaves it; removed at the end.
class Base {
 public:
  Base() : path_(fs::path(testing::TempDir()) / ("inlay-examples." + std::to_string(getpid()))) {
    fs::create_directories(path_ / "build" / "identity" / "sa");
    std::ofstream(path_ / "build" / "identity" / "sa" / "token") << "a token";
    fs::copy_file(kModule, path_ / "build" / "header_augmenting.wasm", fs::copy_options::overwrite_existing);
  }
  Base(const Base&) = delete;
  Base& operator=(const Base&) = delete;
  ~Base() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::string path() const { return path_.string(); }

 private:
  const fs::path path_;
};

config::WasmPlugin load(const fs::path& file) {
  static const Base base;
  config::LoadOptions options;
  options.base_dir = base.path();
  options.environment = [](const std::string& name) { return std::optional("value of " + name); };
  document::Diagnostics diagnostics;
  const auto bootstrap = config::load_file(file.string(), options, diagnostics);
  EXPECT_TRUE(bootstrap) << diagnostics.to_string();
  if (!bootstrap || bootstrap->listeners.empty()) return {};
  for (const auto& filter : bootstrap->listeners[0].http.http_filters)
    if (const auto* plugin = std::get_if<config::WasmPlugin>(&filter.config)) return *plugin;
  ADD_FAILURE() << file << " has no Wasm filter";
  return {};
}

// to_json: as Istio makes the plugin's configuration of what stands in the resource.
std::string to_json(const YAML::Node& node) {
  std::string text;
  if (node.IsSequence()) {
    for (const auto& item : node) text += (text.empty() ? "" : ",") + to_json(item);
    return "[" + text + "]";
  }
  if (node.IsMap()) {
    for (const auto& item : node) {
      text += (text.empty() ? "" : ",") + ("\"" + item.first.as<std::string>() + "\":") + to_json(item.second);
    }
    return "{" + text + "}";
  }
  text = node.as<std::string>();
  return node.Tag() == "!" ? "\"" + text + "\"" : text;  // quoted, or a number
}

std::string without_clusters(const YAML::Node& configuration) {
  YAML::Node copy = YAML::Clone(configuration);
  for (auto source : copy["sources"]) source.remove("cluster");
  for (auto rule : copy["rules"]) {
    if (rule["match"]) rule["match"].remove("cluster");
  }
  return to_json(copy);
}

TEST(Examples, LoadAndConfigureTheFilter) {
  const std::vector<fs::path> files = examples(false);
  ASSERT_EQ(files.size(), 8u);
  for (const fs::path& file : files) {
    const auto filter = load(file);
    ASSERT_TRUE(filter.code.bytes) << file;
    start(*filter.code.bytes, filter.plugin, file);
  }
}

TEST(Examples, IstioRunsTheFifth) {
  const std::vector<fs::path> files = examples(true);
  ASSERT_EQ(files.size(), 1u);
  std::ifstream module_file(kModule, std::ios::binary);
  const std::vector<uint8_t> module(std::istreambuf_iterator<char>(module_file), {});
  for (const fs::path& file : files) {
    std::map<std::string, std::vector<YAML::Node>> resources;
    for (const YAML::Node& document : YAML::LoadAllFromFile(file.string())) {
      resources[document["kind"].as<std::string>()].push_back(document);
      EXPECT_EQ(document["metadata"]["namespace"].as<std::string>(), "orders");
    }
    ASSERT_EQ(resources["WasmPlugin"].size(), 1u);
    const YAML::Node spec = resources["WasmPlugin"][0]["spec"];
    const YAML::Node configuration = spec["pluginConfig"];
    host::PluginConfig plugin{.name = "augment", .root_id = "any", .configuration = to_json(configuration)};
    for (const auto& variable : spec["vmConfig"]["env"]) {
      plugin.environment[variable["name"].as<std::string>()] = "a value";
      EXPECT_EQ(variable["valueFrom"].as<std::string>(), "HOST");
    }
    start(module, plugin, file);

    // Each cluster that is asked is one that Istio makes of a ServiceEntry, and has TLS.
    std::set<std::string> clusters;
    for (const auto& entry : resources["ServiceEntry"]) {
      for (const auto& host : entry["spec"]["hosts"]) clusters.insert("outbound|80||" + host.as<std::string>());
    }
    std::set<std::string> encrypted;
    for (const auto& rule : resources["DestinationRule"]) {
      const YAML::Node port = rule["spec"]["trafficPolicy"]["portLevelSettings"][0];
      EXPECT_EQ(port["tls"]["mode"].as<std::string>(), "SIMPLE");
      encrypted.insert("outbound|80||" + rule["spec"]["host"].as<std::string>());
    }
    EXPECT_EQ(encrypted, clusters);
    for (const auto& source : configuration["sources"]) {
      EXPECT_TRUE(clusters.contains(source["cluster"].as<std::string>())) << source["cluster"].as<std::string>();
    }
    for (const auto& rule : configuration["rules"]) {
      if (!rule["match"]) continue;
      EXPECT_TRUE(rule["match"]["cluster"].as<std::string>().starts_with("outbound|80||")) << "where it is routed to";
    }

    fs::path bootstrap = file;
    bootstrap.replace_extension().replace_extension(".yaml");
    EXPECT_EQ(without_clusters(configuration), without_clusters(YAML::Load(load(bootstrap).plugin.configuration)));
  }
}

}  // namespace
}  // namespace inlay::testkit
