// SPDX-License-Identifier: Apache-2.0
// Every file under examples/header_augmenting is a bootstrap that the loader takes without an error, with a
// configuration that the compiled filter takes.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "proxy/config/load.h"
#include "testkit/guest_fixture.h"
#include "testkit/proxy.h"

namespace inlay::testkit {
namespace {

namespace fs = std::filesystem;

TEST(Examples, LoadAndConfigureTheFilter) {
  // They name the module as `make build` leaves it.
  const fs::path base = fs::path(testing::TempDir()) / "inlay-examples";
  fs::create_directories(base / "build");
  fs::copy_file(INLAY_BINARY_DIR "/wasm/header_augmenting.wasm", base / "build" / "header_augmenting.wasm",
                fs::copy_options::overwrite_existing);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(INLAY_SOURCE_DIR "/examples/header_augmenting")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  ASSERT_EQ(files.size(), 5u);
  for (const fs::path& file : files) {
    proxy::config::LoadOptions options;
    options.base_dir = base.string();
    options.environment = [](const std::string& name) { return std::optional("value of " + name); };
    proxy::config::Diagnostics diagnostics;
    const auto bootstrap = proxy::config::load_file(file.string(), options, diagnostics);
    ASSERT_TRUE(bootstrap) << diagnostics.to_string();
    ASSERT_EQ(bootstrap->listeners.size(), 1u);
    const auto& filter = std::get<proxy::config::WasmFilter>(bootstrap->listeners[0].http.http_filters.at(0).config);
    ProxyOptions proxy_options;
    proxy_options.engine = engine::EngineKind::kInterp;
    proxy_options.limits.call_budget = std::chrono::seconds(60);
    TestProxy proxy(proxy_options);
    const auto loaded = proxy.load(*filter.code.bytes, filter.plugin);
    EXPECT_TRUE(loaded) << file << ": " << loaded.error().to_string();
    EXPECT_EQ(proxy.log().count("configuration:"), 0u) << file;
  }
}

}  // namespace
}  // namespace inlay::testkit
