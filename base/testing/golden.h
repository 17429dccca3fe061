// SPDX-License-Identifier: Apache-2.0
#pragma once

// Golden cases: files testdata/*.case, each with an input, a line "#### expect", and the text that must come of it.
// With INLAY_UPDATE=1 in the environment the expectations are rewritten; read the diff.
//
//     class Golden : public ::testing::TestWithParam<std::string> {};
//     TEST_P(Golden, GivesWhatIsExpected) { testing::check_golden(kFolder, GetParam(), run); }
//     INSTANTIATE_TEST_SUITE_P(Testdata, Golden, ::testing::ValuesIn(testing::golden_cases(kFolder)), ...);

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace inlay::testing {

// The names of the folder's cases, without ".case", sorted.
inline std::vector<std::string> golden_cases(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".case") names.push_back(entry.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

// Expects that `run` makes of the case's input what stands in its file.
inline void check_golden(const std::string& folder, const std::string& name,
                         const std::function<std::string(const std::string& input)>& run) {
  constexpr std::string_view kSeparator = "#### expect\n";
  const std::string path = folder + "/" + name + ".case";
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  const std::string text = content.str();
  const size_t at = text.find(kSeparator);
  ASSERT_NE(at, std::string::npos) << path << " lacks the line " << kSeparator;
  const std::string input = text.substr(0, at);
  const std::string actual = run(input);
  if (std::getenv("INLAY_UPDATE") != nullptr) {
    std::ofstream(path) << input << kSeparator << actual;
    return;
  }
  EXPECT_EQ(actual, text.substr(at + kSeparator.size())) << path;
}

}  // namespace inlay::testing
