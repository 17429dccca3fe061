// SPDX-License-Identifier: Apache-2.0
// Runs every testdata/*.case: a bootstrap, a line "#### expect", and the diagnostics that loading it must give ("ok"
// when it must load without any). With INLAY_UPDATE=1 in the environment the expectations are rewritten; read
// the diff.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "base/testing/golden.h"
#include "config/load.h"

namespace inlay::config {
namespace {

const std::string kFolder = INLAY_SOURCE_DIR "/config/testdata";

LoadOptions options_for(std::string_view input) {
  LoadOptions options;
  options.allow_unknown_static_fields = input.starts_with("# --allow-unknown-static-fields\n");
  constexpr std::string_view kLeaveOut = "# --leave-out ";
  while (input.starts_with(kLeaveOut)) {
    const size_t end = input.find('\n');
    options.leave_out.emplace_back(input.substr(kLeaveOut.size(), end - kLeaveOut.size()));
    input.remove_prefix(end + 1);
  }
  options.environment = [](const std::string& name) {
    return name == "SET" ? std::optional<std::string>("from the environment") : std::nullopt;
  };
  return options;
}

std::string run(const std::string& input) {
  document::Diagnostics diagnostics;
  const bool json = input.starts_with("{");
  auto bootstrap = load_text(input, json ? "case.json" : "case.yaml", options_for(input), diagnostics);
  EXPECT_EQ(static_cast<bool>(bootstrap), diagnostics.errors() == 0);
  const std::string text = diagnostics.to_string();
  return bootstrap ? "ok\n" + text : text;
}

class Golden : public ::testing::TestWithParam<std::string> {};

TEST_P(Golden, GivesTheExpectedDiagnostics) {
  inlay::testing::check_golden(kFolder, GetParam(), run);
}

INSTANTIATE_TEST_SUITE_P(Testdata, Golden, ::testing::ValuesIn(inlay::testing::golden_cases(kFolder)),
                         [](const auto& golden) { return golden.param; });

}  // namespace
}  // namespace inlay::config
