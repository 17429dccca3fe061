// SPDX-License-Identifier: Apache-2.0
// Runs every testdata/*.case: a values file whose first line is "# target: NAME", a line "#### expect", and then the
// diagnostics and the error that it must give, or all the text files that are rendered from it. With
// INLAY_UPDATE=1 in the environment the expectations are rewritten; read the diff.
#include <gtest/gtest.h>

#include <string>

#include "base/testing/golden.h"
#include "deploy/render/check.h"
#include "deploy/render/testdata_modules.h"
#include "deploy/render/write.h"

namespace inlay::deploy {
namespace {

const std::string kFolder = INLAY_SOURCE_DIR "/deploy/render/testdata";
constexpr std::string_view kTarget = "# target: ";

// Without the folder of this run.
std::string portable(std::string text, const std::string& folder) {
  for (size_t at = text.find(folder); at != std::string::npos; at = text.find(folder))
    text.replace(at, folder.size(), "FOLDER");
  return text;
}

Result<std::string> render(const std::string& input, const std::string& folder, Diagnostics& diagnostics) {
  const std::string name = input.substr(kTarget.size(), input.find('\n') - kTarget.size());
  INLAY_TRY(const Values values, read_values_text(input, "case.yaml", folder, diagnostics));
  config::Reporter report("case.yaml", diagnostics);
  INLAY_TRY(Rendering rendering, find_target(name)->render(values, report));
  add_made_by(rendering, name, values.file);
  INLAY_RETURN_IF_ERROR(check_rendering(name, rendering, values));
  std::string out;
  for (const File& file : rendering.files)
    out += "--- " + file.name + (file.binary ? ": the module\n" : "\n" + file.content);
  for (const std::string& note : rendering.notes) out += "note: " + note + "\n";
  return out;
}

std::string run(const std::string& input) {
  const TestModules modules;
  Diagnostics diagnostics;
  auto rendered = render(input, modules.folder(), diagnostics);
  std::string out = diagnostics.to_string();
  out += rendered ? *rendered : rendered.error().to_string() + "\n";
  return portable(out, modules.folder());
}

class Golden : public ::testing::TestWithParam<std::string> {};

TEST_P(Golden, GivesWhatIsExpected) {
  inlay::testing::check_golden(kFolder, GetParam(), [](const std::string& input) {
    EXPECT_TRUE(input.starts_with(kTarget));
    const std::string actual = run(input);
    EXPECT_EQ(actual, run(input)) << "the same values give other bytes";
    return actual;
  });
}

INSTANTIATE_TEST_SUITE_P(Testdata, Golden, ::testing::ValuesIn(inlay::testing::golden_cases(kFolder)),
                         [](const auto& golden) { return golden.param; });

}  // namespace
}  // namespace inlay::deploy
