// SPDX-License-Identifier: Apache-2.0
#include "tester/vocabulary.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "tester/case.h"

namespace inlay::tester {
namespace {

constexpr const char* kPage = INLAY_SOURCE_DIR "/docs/reference/test_cases.md";

TEST(Vocabulary, EachExampleIsACase) {
  for (const WordEntry& entry : vocabulary()) {
    // What examples speak of is there.
    const std::string upstreams =
        entry.section == Section::kBehaviour || entry.name == Name::kUpstream ? "" : "upstream auth waits\n";
    const std::string text = upstreams + std::string(entry.example) + "\nclient GET /last\n";
    const auto c = parse_file("example.case", text, Dialect::kFilters);
    EXPECT_TRUE(c) << text << "\n" << c.error().to_string();
    EXPECT_FALSE(entry.meaning.empty());
    EXPECT_TRUE(entry.meaning.ends_with('.') || entry.meaning.ends_with(".)")) << entry.form;
  }
}

TEST(Vocabulary, AWordIsOncePerSection) {
  std::set<std::pair<Section, std::string_view>> seen;
  for (const WordEntry& entry : vocabulary()) {
    EXPECT_TRUE(seen.emplace(entry.section, entry.word).second) << entry.word;
    if (entry.word == "METHOD" || entry.name == Name::kCompares) continue;
    EXPECT_EQ(
        find_word(entry.section, std::string(entry.word) + (entry.word.ends_with('=') && entry.word != "=" ? "x" : "")),
        &entry)
        << entry.word;
  }
}

TEST(Vocabulary, IsExplained) {
  const std::string answers = explain("answers");
  EXPECT_NE(answers.find("answers STATUS"), std::string::npos) << answers;
  EXPECT_NE(answers.find("NAME answers STATUS"), std::string::npos) << answers;
  EXPECT_NE(explain("workers").find("workers=N"), std::string::npos);
  EXPECT_NE(explain("answrs").find("did you mean `answers`?"), std::string::npos);
  EXPECT_NE(explain("").find("expect [no] WHAT ..."), std::string::npos);
  EXPECT_TRUE(is_word("answers"));
  EXPECT_FALSE(is_word("answrs"));
}

// INLAY_UPDATE=1 (make docs) writes it anew.
TEST(VocabularyReference, IsUpToDate) {
  if (std::getenv("INLAY_UPDATE") != nullptr) std::ofstream(kPage) << reference_page();
  std::stringstream page;
  page << std::ifstream(kPage).rdbuf();
  EXPECT_EQ(page.str(), reference_page()) << "make docs rewrites it";
}

}  // namespace
}  // namespace inlay::tester
