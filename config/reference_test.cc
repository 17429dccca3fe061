// SPDX-License-Identifier: Apache-2.0
#include "config/reference.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace inlay::config {
namespace {

// With INLAY_UPDATE=1 in the environment the page is rewritten.
TEST(Reference, TheCommittedPageIsUpToDate) {
  const std::filesystem::path path = INLAY_SOURCE_DIR "/docs/reference/envoy_config.md";
  if (std::getenv("INLAY_UPDATE") != nullptr) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << reference_page();
    return;
  }
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  EXPECT_TRUE(content.str() == reference_page())
      << "docs/reference/envoy_config.md is out of date; run: inlay reference > docs/reference/envoy_config.md";
}

TEST(Reference, SaysWhatIsSupported) {
  const std::string page = reference_page();
  for (const char* line : {"| `cluster` | string | yes |  |",
                           "| `rds` | envoy.extensions.filters.network."
                           "http_connection_manager.v3.Rds | no | ",
                           "| `protocol` | envoy.config.core.v3.SocketAddress.Protocol | only `TCP` |  |",
                           "| `allow_precompiled` | bool | ignored | "})
    EXPECT_NE(page.find(line), std::string::npos) << line;
}

}  // namespace
}  // namespace inlay::config
