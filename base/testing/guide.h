// SPDX-License-Identifier: Apache-2.0
#pragma once

// Guides that show code show code that is built and tested.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace inlay::testing {

// Expects that each line of C++ in the guide stands in one of the files, and that there are more than `least` such
// lines. The names are relative to `root`.
inline void expect_guide_shows(const std::string& root, const std::string& guide, const std::vector<std::string>& files,
                               int least) {
  const auto read = [&](const std::string& name) {
    std::ifstream file(root + "/" + name);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  std::string code;
  for (const std::string& name : files) code += read(name);
  std::istringstream text(read(guide));
  bool in_code = false;
  int lines = 0;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("```")) {
      in_code = line == "```cpp";
    } else if (in_code) {
      EXPECT_NE(code.find(line + "\n"), std::string::npos) << guide << ": " << line;
      ++lines;
    }
  }
  EXPECT_GT(lines, least);
}

}  // namespace inlay::testing
