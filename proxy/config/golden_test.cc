// SPDX-License-Identifier: Apache-2.0
// Runs every testdata/*.case: a bootstrap, a line "#### expect", and the diagnostics that loading it must give ("ok"
// when it must load without any). With INLAY_UPDATE_GOLDEN=1 in the environment the expectations are rewritten; read
// the diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "proxy/config/load.h"

namespace inlay::proxy::config {
namespace {

constexpr std::string_view kSeparator = "#### expect\n";

std::vector<std::string> cases() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(INLAY_SOURCE_DIR "/proxy/config/testdata"))
    if (entry.path().extension() == ".case") names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

LoadOptions options_for(std::string_view input) {
  LoadOptions options;
  options.allow_unknown_static_fields = input.starts_with("# --allow-unknown-static-fields\n");
  options.environment = [](const std::string& name) {
    return name == "SET" ? std::optional<std::string>("from the environment") : std::nullopt;
  };
  return options;
}

std::string run(const std::string& input) {
  Diagnostics diagnostics;
  const bool json = input.starts_with("{");
  auto bootstrap = load_text(input, json ? "case.json" : "case.yaml", options_for(input), diagnostics);
  EXPECT_EQ(static_cast<bool>(bootstrap), diagnostics.errors() == 0);
  const std::string text = diagnostics.to_string();
  return bootstrap ? "ok\n" + text : text;
}

class Golden : public ::testing::TestWithParam<std::string> {};

TEST_P(Golden, GivesTheExpectedDiagnostics) {
  const std::string path = INLAY_SOURCE_DIR "/proxy/config/testdata/" + GetParam() + ".case";
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  const std::string text = content.str();
  const size_t at = text.find(kSeparator);
  ASSERT_NE(at, std::string::npos) << path << " lacks the line " << kSeparator;
  const std::string input = text.substr(0, at);
  const std::string actual = run(input);
  if (std::getenv("INLAY_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << input << kSeparator << actual;
    return;
  }
  EXPECT_EQ(actual, text.substr(at + kSeparator.size())) << path;
}

INSTANTIATE_TEST_SUITE_P(Testdata, Golden, ::testing::ValuesIn(cases()),
                         [](const auto& golden) { return golden.param; });

}  // namespace
}  // namespace inlay::proxy::config
