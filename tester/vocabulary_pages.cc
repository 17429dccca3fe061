// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "config/field_table.h"
#include "tester/vocabulary.h"

namespace inlay::tester {
namespace {

constexpr std::string_view kBegin = R"(<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Generated from tester/vocabulary.cc, the table that the reader reads by; `make docs` rewrites it. -->
# Cases: every word

What may stand in the `*.case` files that `inlay test` runs; [docs/guide/test.md](../guide/test.md) teaches it. `inlay test --explain WORD` prints
the same. Words are parted by blanks; `"..."` holds them together and knows `\n \r \t \0 \" \\ \xHH`; `"x"*1000` is a thousand. A line that begins
with `#` is a comment. A block (a plugin's configuration, YAML) is indented by two spaces. What stands below a line `#### expect` is a snapshot.
)";

std::string indented(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    out.append("    ").append(text.substr(0, end)).append("\n");
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

// "answers", "workers" of "workers=".
std::string_view bare(std::string_view word) {
  while (word.size() > 2 && (word.ends_with('=') || word.ends_with(':') || word.ends_with('.'))) word.remove_suffix(1);
  return word;
}

}  // namespace

bool is_word(std::string_view word) {
  for (const WordEntry& entry : vocabulary()) {
    if (bare(entry.word) == bare(word)) return true;
  }
  return false;
}

std::string explain(std::string_view word) {
  std::string text;
  if (word.empty()) {
    for (size_t i = 0; i < kSections; ++i) {
      text.append(title_of(static_cast<Section>(i))).append(":\n");
      for (const WordEntry& entry : vocabulary()) {
        if (entry.section == static_cast<Section>(i)) text.append("  ").append(entry.form).append("\n");
      }
    }
    return text;
  }
  std::vector<std::string_view> words;
  for (const WordEntry& entry : vocabulary()) {
    words.push_back(bare(entry.word));
    if (bare(entry.word) != bare(word)) continue;
    text.append(text.empty() ? "" : "\n")
        .append(entry.form)
        .append("  (")
        .append(title_of(entry.section))
        .append(")\n");
    text.append("  ").append(entry.meaning).append("\n").append(indented(entry.example));
  }
  if (!text.empty()) return text;
  const std::string near = config::nearest(word, words);
  return "no line of a case has the word `" + std::string(word) + "`" +
         (near.empty() ? "; `inlay test --explain` lists them all" : "; did you mean `" + near + "`?") + "\n";
}

std::string reference_page() {
  std::string text(kBegin);
  for (size_t i = 0; i < kSections; ++i) {
    text.append("\n## ").append(title_of(static_cast<Section>(i))).append("\n");
    for (const WordEntry& entry : vocabulary()) {
      if (entry.section != static_cast<Section>(i)) continue;
      text.append("\n### `").append(entry.form).append("`\n\n").append(entry.meaning).append("\n\n");
      text.append(indented(entry.example));
    }
  }
  return text;
}

}  // namespace inlay::tester
