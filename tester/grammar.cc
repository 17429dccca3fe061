// SPDX-License-Identifier: Apache-2.0
#include "tester/grammar.h"

#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "document/scalars.h"
#include "tester/vocabulary.h"

namespace inlay::tester {
namespace {

using Sections = std::initializer_list<Section>;

// A rule: its keys and values, these as JSON.
using Rule = std::vector<std::pair<std::string_view, std::string>>;

std::string text(std::string_view value) {
  return document::json_string(value);
}

std::string object(const Rule& rule) {
  std::string all;
  for (const auto& [key, value] : rule) all += (all.empty() ? "" : ", ") + text(key) + ": " + value;
  return "{" + all + "}";
}

std::string list(const std::vector<std::string>& items) {
  std::string all;
  for (const std::string& item : items) all += (all.empty() ? "\n      " : ",\n      ") + item;
  return "[" + all + "]";
}

// {"1": {"name": ...}, "2": ...}
std::string captures(std::initializer_list<std::string_view> names) {
  Rule rule;
  constexpr std::string_view kNumbers[] = {"1", "2", "3"};
  for (const std::string_view name : names) rule.emplace_back(kNumbers[rule.size()], object({{"name", text(name)}}));
  return object(rule);
}

constexpr std::string_view kKeyword = "keyword.control.inlay-case";
constexpr std::string_view kName = "entity.name.inlay-case";
constexpr std::string_view kString = "string.unquoted.inlay-case";

bool is_prefix(std::string_view word) {
  return word.ends_with('=') || word.ends_with(':') || word.ends_with('.');
}

// A regular expression of the sections' words, or nothing. What the table writes in capitals stands for any such word,
// and a word that ends in a mark for all that begin so; `whole`: only for the others.
std::string words(Sections sections, bool whole = false) {
  std::string all;
  for (const WordEntry& entry : vocabulary()) {
    for (const Section section : sections) {
      if (entry.section != section || (whole && is_prefix(entry.word))) continue;
      std::string one;
      for (const char c : entry.word) one += (c == '.' ? "\\" : "") + std::string(1, c);
      if (one == "METHOD") one = "[A-Z]+";
      if (!is_prefix(entry.word) || entry.word == "=" || entry.word == "!=") one += "(?=\\s|$)";
      all += (all.empty() ? "" : "|") + one;
    }
  }
  return "(" + all + ")";
}

std::string include(std::string_view name) {
  return object({{"include", text(name)}});
}

// Words of these sections, anywhere in a line behind its first.
std::string inside(Sections sections, std::string_view name) {
  return object({{"name", text(name)}, {"match", text("(?<=\\s)" + words(sections))}});
}

// A line that begins with `head`, and a name behind it if `named`; `patterns` are for its rest.
std::string line(const std::string& head, bool named, std::vector<std::string> patterns) {
  patterns.push_back(include("#values"));
  return object({{"begin", text("^(" + head + ")(?=\\s|$)" + (named ? "\\s+(\\S+)" : ""))},
                 {"end", text("$")},
                 {"beginCaptures", captures({kKeyword, kName})},
                 {"patterns", list(patterns)}});
}

// Of the repository: what stands in any line.
std::string values() {
  return list({object({{"name", text("string.quoted.double.inlay-case")},
                       {"begin", text("\"")},
                       {"end", text("\"|$")},
                       {"patterns", list({object({{"name", text("constant.character.escape.inlay-case")},
                                                  {"match", text("\\\\([nrt0\"\\\\]|x[0-9A-Fa-f]{2})")}}),
                                          include("#parameter")})}}),
               include("#parameter"),
               object({{"name", text("constant.numeric.inlay-case")},
                       {"match", text("(?<=[\\s=])[0-9]+(ms|s|m|h)?(?=\\s|$)")}}),
               object({{"name", text("string.regexp.inlay-case")}, {"match", text("(?<=~ )/.*/(?=\\s*$)")}})});
}

std::vector<std::string> rules() {
  using S = Section;
  return {
      object({{"name", text("markup.quote.inlay-case")},
              {"begin", text("^#### expect\\s*$")},
              {"end", text("^(?!x)x")},
              {"patterns", list({object({{"name", text("comment.line.inlay-case")}, {"match", text("^==.*$")}})})}}),
      object({{"name", text("comment.line.number-sign.inlay-case")}, {"match", text("^#.*$")}}),
      object({{"name", text("string.unquoted.block.inlay-case")},
              {"begin", text("^  ")},
              {"end", text("$")},
              {"patterns", list({include("#parameter")})}}),
      object({{"match", text("^([a-z_]+:)(\\s.*)?$")}, {"captures", captures({kKeyword, kString})}}),
      line("plugin", true, {inside({S::kPlugin}, "variable.parameter.inlay-case")}),
      line("upstream", true, {inside({S::kBehaviour}, kKeyword)}),
      line("options", false, {inside({S::kOption}, "variable.parameter.inlay-case")}),
      line("show", false, {inside({S::kShow}, "variable.parameter.inlay-case")}),
      line("client", false, {inside({S::kClientStep}, kKeyword)}),
      line("expect", false,
           {inside({S::kExpect, S::kAspect}, kKeyword), inside({S::kValue}, "keyword.operator.inlay-case")}),
      line(words({S::kSource, S::kSetting, S::kStep}, true), false, {}),
      object({{"begin", text("^(\\S+)\\s+" + words({S::kUpstreamStep}))},
              {"end", text("$")},
              {"beginCaptures", captures({kName, kKeyword})},
              {"patterns", list({include("#values")})}}),
  };
}

}  // namespace

std::string textmate_grammar() {
  std::string patterns;
  for (const std::string& rule : rules()) patterns += (patterns.empty() ? "\n    " : ",\n    ") + rule;
  const std::string parameter =
      object({{"name", text("variable.other.inlay-case")}, {"match", text("\\{\\{[^{}]*\\}\\}")}});
  return "{\n"
         "  \"name\": \"Inlay's cases\",\n  \"scopeName\": \"source.inlay-case\",\n  \"fileTypes\": [\"case\"],\n"
         "  \"patterns\": [" +
         patterns + "],\n  \"repository\": {\n    \"parameter\": {\"patterns\": " + list({parameter}) +
         "},\n    \"values\": {\"patterns\": " + values() + "}\n  }\n}\n";
}

}  // namespace inlay::tester
