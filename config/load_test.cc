// SPDX-License-Identifier: Apache-2.0
#include "config/load.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace inlay::config {
namespace {

const std::string kTestdata = INLAY_SOURCE_DIR "/config/testdata/";

// A folder with a filter.wasm in it.
class LoadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("inlay_load_test_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "filter.wasm", std::ios::binary) << std::string("\0asm\1\0\0\0", 8);
    options_.base_dir = folder_;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
  LoadOptions options_;
  document::Diagnostics diagnostics_;
};

TEST_F(LoadTest, TellsOfTheFilesThatItNames) {
  std::vector<std::string> files;
  options_.on_file = [&](const std::string& path, LoadOptions::FileKind kind) {
    EXPECT_EQ(kind, LoadOptions::FileKind::kPlain);
    files.push_back(path);
  };
  ASSERT_TRUE(load_file(kTestdata + "envoy.yaml", options_, diagnostics_)) << diagnostics_.to_string();
  EXPECT_EQ(files, (std::vector<std::string>{folder_ / "filter.wasm"}));
  files.clear();
  std::filesystem::remove(folder_ / "filter.wasm");
  EXPECT_FALSE(load_file(kTestdata + "envoy.yaml", options_, diagnostics_));
  EXPECT_EQ(files.size(), 1u);  // it may come
}

TEST_F(LoadTest, EnvoyYamlBecomesTheModel) {
  auto bootstrap = load_file(kTestdata + "envoy.yaml", options_, diagnostics_);
  ASSERT_TRUE(bootstrap) << diagnostics_.to_string();
  EXPECT_EQ(diagnostics_.to_string(), "");

  ASSERT_TRUE(bootstrap->admin);
  EXPECT_EQ(bootstrap->admin->address.to_string(), "127.0.0.1:9901");
  ASSERT_EQ(bootstrap->listeners.size(), 1u);
  const Listener& listener = bootstrap->listeners[0];
  EXPECT_EQ(listener.name, "ingress");
  EXPECT_EQ(listener.address.port, 8080);
  EXPECT_EQ(listener.http.stat_prefix, "ingress_http");
  EXPECT_EQ(listener.http.codec_type, HttpConnectionManager::CodecType::kAuto);
  ASSERT_EQ(listener.http.route_config.virtual_hosts.size(), 1u);
  const VirtualHost& host = listener.http.route_config.virtual_hosts[0];
  EXPECT_EQ(host.domains, std::vector<std::string>{"*"});
  ASSERT_EQ(host.routes.size(), 1u);
  EXPECT_EQ(host.routes[0].match.kind, RouteMatch::Kind::kPrefix);
  EXPECT_EQ(host.routes[0].match.value, "/");
  const auto& action = std::get<RouteAction>(host.routes[0].action);
  EXPECT_EQ(action.cluster, "app");
  EXPECT_EQ(action.timeout, Milliseconds(15000));

  ASSERT_EQ(listener.http.http_filters.size(), 2u);
  const auto& wasm = std::get<WasmPlugin>(listener.http.http_filters[0].config);
  EXPECT_EQ(wasm.plugin.name, "header-augmenter");
  EXPECT_EQ(wasm.plugin.root_id, "header_augmenter");
  EXPECT_EQ(wasm.plugin.vm_id, "header_augmenter");
  EXPECT_EQ(wasm.plugin.runtime, "envoy.wasm.runtime.v8");
  EXPECT_EQ(wasm.plugin.failure_policy, host::FailurePolicy::kFailClosed);
  EXPECT_EQ(wasm.plugin.configuration,
            R"({"cluster": "token_service", "path": "/headers", "authority": "tokens.local", "cache_seconds": 60})"
            "\n");
  EXPECT_EQ(wasm.code.filename, "filter.wasm");
  ASSERT_NE(wasm.code.bytes, nullptr);
  EXPECT_EQ(wasm.code.bytes->size(), 8u);
  EXPECT_TRUE(std::holds_alternative<RouterFilter>(listener.http.http_filters[1].config));

  ASSERT_EQ(bootstrap->clusters.size(), 2u);
  EXPECT_EQ(bootstrap->clusters[0].type, Cluster::Type::kStatic);
  EXPECT_EQ(bootstrap->clusters[0].connect_timeout, Milliseconds(5000));
  EXPECT_EQ(bootstrap->clusters[1].type, Cluster::Type::kStrictDns);
  EXPECT_EQ(bootstrap->clusters[1].connect_timeout, Milliseconds(1000));
  ASSERT_EQ(bootstrap->clusters[1].endpoints.size(), 1u);
  EXPECT_EQ(bootstrap->clusters[1].endpoints[0].address.to_string(), "localhost:8082");
}

TEST_F(LoadTest, IstioCamelCaseAndTypedStructs) {
  auto bootstrap = load_file(kTestdata + "istio_camel.yaml", options_, diagnostics_);
  ASSERT_TRUE(bootstrap) << diagnostics_.to_string();
  EXPECT_EQ(diagnostics_.to_string(), "");
  const auto& wasm = std::get<WasmPlugin>(bootstrap->listeners[0].http.http_filters[0].config);
  EXPECT_EQ(wasm.plugin.root_id, "r");
  EXPECT_EQ(wasm.plugin.vm_id, "v");
  EXPECT_EQ(wasm.code.filename, "<inline>");
  EXPECT_EQ(wasm.code.bytes->size(), 1u);
  EXPECT_EQ(bootstrap->clusters[0].name, "inbound|8081||");
  EXPECT_EQ(bootstrap->clusters[0].connect_timeout, Milliseconds(250));
}

// What surface.yaml needs that is not here yet, and no more. The list shrinks as features come.
TEST_F(LoadTest, SurfaceYamlFailsWithExactlyTheUnsupportedFields) {
  auto bootstrap = load_file(kTestdata + "surface.yaml", options_, diagnostics_);
  ASSERT_FALSE(bootstrap);
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
  for (const document::Diagnostic& diagnostic : diagnostics_.list()) {
    auto& list = diagnostic.severity == document::Diagnostic::Severity::kError ? errors : warnings;
    list.push_back(std::to_string(diagnostic.place.line) + " " +
                   diagnostic.path.substr(diagnostic.path.find_last_of('.') + 1));
    EXPECT_NE(diagnostic.message.find(&list == &errors ? "support it yet" : "is ignored"), std::string::npos)
        << diagnostic.to_string();
  }
  EXPECT_EQ(errors, (std::vector<std::string>{"39 retry_policy", "80 health_checks"}));
  EXPECT_EQ(warnings, std::vector<std::string>{});
}

TEST_F(LoadTest, AMissingFileIsAnErrorOfItsOwn) {
  auto bootstrap = load_file((folder_ / "absent.yaml").string(), options_, diagnostics_);
  ASSERT_FALSE(bootstrap);
  EXPECT_EQ(bootstrap.error().code, ErrorCode::kIo);
  EXPECT_EQ(diagnostics_.errors(), 1u);
}

}  // namespace
}  // namespace inlay::config
