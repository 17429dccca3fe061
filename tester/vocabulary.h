// SPDX-License-Identifier: Apache-2.0
#pragma once

// The words of a case's lines, in one table: the reader knows no others, its messages name them, `inlay test --explain`
// shows them, and docs/reference/test_cases.md is made from them.
//
//     if (const Word* word = find_word(Section::kUpstreamStep, "answers")) std::cout << word->form << "\n";

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace inlay::tester {

// Section is where a word may stand.
enum class Section : uint8_t {
  kSource,        // at the beginning of a line that stands for others
  kSetting,       // at the beginning of a line that sets something up
  kPlugin,        // behind `plugin NAME`
  kBehaviour,     // behind `upstream NAME`
  kOption,        // behind `options`
  kShow,          // behind `show`
  kClientStep,    // behind `client`
  kUpstreamStep,  // behind an upstream's name
  kStep,          // at the beginning of a line that does something by itself
  kExpect,        // behind `expect`
  kAspect,        // behind `expect client`, `expect upstream` and `expect call NAME`
  kValue,         // behind these
};
inline constexpr size_t kSections = 12;

// Name names a word, for the reader.
enum class Name : uint8_t {
  kInclude,
  kLet,
  kRows,
  // settings
  kAbout,
  kOnly,
  kPlugin,
  kUpstream,
  kTcp,
  kListener,
  kHcm,
  kRoutes,
  kAccessLogLine,
  kBootstrap,
  kOptions,
  kShow,
  kStats,
  // behind `plugin NAME`
  kModule,
  kGuest,
  kImports,
  kAbi,
  kNetwork,
  kVmConfiguration,
  kField,
  // behind `upstream NAME`
  kAnswers,
  kWaits,
  kRefuses,
  kResets,
  kAccepts,
  // behind `options`
  kWorkers,
  kCallBudget,
  kTrailersOption,
  kEnvoyStrict,
  kLegacyProperties,
  kFailHazards,
  // behind `show`
  kStart,
  kLog,
  kHeaderShown,
  // steps
  kRequest,
  kBody,
  kTrailers,
  kConnects,
  kSends,
  kCloses,
  kStops,
  kReads,
  kHead,
  kContinues,
  kWait,
  kExpect,
  // behind `expect`
  kNo,
  kClient,
  kCall,
  kMetric,
  kHazard,
  kTrap,
  kStatus,
  kMethod,
  kPath,
  kHeader,
  kTrailer,
  kResponse,
  kClosed,
  kCount,
  // behind these
  kEquals,
  kMatches,
  kCompares,
};

struct WordEntry {
  Name name;
  Section section;
  std::string_view word;     // as it is written; of several forms the common beginning
  std::string_view form;     // the line, or the part of it
  std::string_view meaning;  // sentences, in Markdown
  std::string_view example;  // a line, or lines, of a case
};

// All, by section.
std::span<const WordEntry> vocabulary();
// What stands above a section's words: "Settings".
std::string_view title_of(Section section);

// Null when the section has no such word. A word that ends with '=' or ':' in the table is that of every text that
// begins with it.
const WordEntry* find_word(Section section, std::string_view word);
// "; did you mean `answers`?", or "; there are: answers, waits, ...": what would be right in the place of `word`.
std::string suggest(Section section, std::string_view word);
// Of several sections.
std::string suggest(std::span<const Section> sections, std::string_view word);

// Whether a section has it.
bool is_word(std::string_view word);
// Every entry of that word as text for a terminal, or what is near it, where there is none: what --explain prints.
// Empty: all words, a line each.
std::string explain(std::string_view word);
// docs/reference/test_cases.md
std::string reference_page();

}  // namespace inlay::tester
