// SPDX-License-Identifier: Apache-2.0
#include "tester/grammar.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tester/vocabulary.h"

namespace inlay::tester {
namespace {

constexpr const char* kFile = INLAY_SOURCE_DIR "/docs/reference/case.tmLanguage.json";

TEST(Grammar, HasEveryWord) {
  const std::string grammar = textmate_grammar();
  for (const WordEntry& entry : vocabulary()) {
    if (entry.word.ends_with(':') && entry.section == Section::kSetting) continue;  // any word with a colon
    const std::string_view stem = entry.word == "METHOD" ? "[A-Z]+" : entry.word.substr(0, entry.word.find('.'));
    EXPECT_NE(grammar.find(stem), std::string::npos) << entry.word;
  }
}

// INLAY_UPDATE=1 (make docs) writes it anew.
TEST(GrammarReference, IsUpToDate) {
  if (std::getenv("INLAY_UPDATE") != nullptr) std::ofstream(kFile) << textmate_grammar();
  std::stringstream file;
  file << std::ifstream(kFile).rdbuf();
  EXPECT_EQ(file.str(), textmate_grammar()) << "make docs rewrites it";
}

}  // namespace
}  // namespace inlay::tester
