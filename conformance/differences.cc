// SPDX-License-Identifier: Apache-2.0
#include "conformance/differences.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "conformance/envoys.h"
#include "conformance/rules.h"
#include "conformance/runner.h"
#include "tester/transcript.h"

namespace inlay::conformance {
namespace {

std::string path_of(std::string_view name) {
  return INLAY_SOURCE_DIR "/conformance/" + std::string(name);
}

bool has(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// The text behind "key: ", if the line has that.
bool take(const std::string& line, std::string_view key, std::string& value) {
  const std::string begin = "  " + std::string(key) + ": ";
  if (!line.starts_with(begin)) return false;
  value = line.substr(begin.size());
  return true;
}

bool runs_in_any(const Case& c, const std::vector<std::string>& ways) {
  return std::any_of(ways.begin(), ways.end(), [&](const std::string& way) { return runs_in_envoy(c, way); });
}

void check_versions(const std::string& where, const std::vector<std::string>& given,
                    const std::vector<std::string>& known, std::vector<std::string>& found) {
  for (const std::string& version : given) {
    if (!has(known, version)) found.push_back(where + ": scripts/pins has no Envoy " + version);
  }
}

}  // namespace

Result<Differences> Differences::parse(std::string_view text) {
  Differences made;
  std::istringstream lines{std::string(text)};
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.starts_with("#") && made.all_.empty()) made.head_ += line + "\n";
    if (line.empty() || line[0] == '#') continue;
    if (line.starts_with("difference ")) {
      made.all_.push_back({line.substr(11), "", "", {}});
      continue;
    }
    const bool known = !made.all_.empty() && (take(line, "why", made.all_.back().why) ||
                                              take(line, "page", made.all_.back().page) || line.starts_with("  case "));
    if (!known) {
      return Error{ErrorCode::kInvalidArgument,
                   "'difference NAME', or under one 'why: ', 'page: ' or 'case SUBJECT/NAME'",
                   "differences:" + std::to_string(number)};
    }
    if (!line.starts_with("  case ")) continue;
    std::istringstream words(line.substr(7));
    Difference::Member member;
    words >> member.title;
    for (std::string version; words >> version;) member.versions.push_back(version);
    made.all_.back().cases.push_back(std::move(member));
  }
  return made;
}

Result<Differences> Differences::read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return Error{ErrorCode::kIo, "cannot be read", path};
  return parse(text.str());
}

Result<Differences> read_differences(std::string_view name) {
  return Differences::read(path_of(name));
}

Result<Unit> write_differences(const Differences& differences, std::string_view name) {
  const std::string path = path_of(name);
  std::ofstream file(path);
  file << differences.text();
  if (!file.flush()) return Error{ErrorCode::kIo, "cannot be written", path};
  return Unit{};
}

std::string Differences::text() const {
  std::string text = head_;
  for (const Difference& one : all_) {
    text += "\ndifference " + one.name + "\n  why: " + one.why + "\n  page: " + one.page + "\n";
    for (const Difference::Member& member : one.cases) {
      text += "  case " + member.title;
      for (const std::string& version : member.versions) text += " " + version;
      text += "\n";
    }
  }
  return text;
}

void Differences::put(std::string_view name, const Case& c, const std::string& version, bool in,
                      const std::vector<std::string>& versions) {
  auto one = std::find_if(all_.begin(), all_.end(), [&](const Difference& d) { return d.name == name; });
  if (one == all_.end()) one = all_.insert(one, {std::string(name), "", "", {}});
  std::vector<std::string> kept;
  const auto same = [&](const Difference::Member& member) { return member.title == c.title(); };
  const auto member = std::find_if(one->cases.begin(), one->cases.end(), same);
  std::vector<std::string> all;  // in which the case runs
  for (const std::string& way : versions) {
    if (runs_in_envoy(c, way)) all.push_back(way);
  }
  if (member != one->cases.end()) kept = member->versions.empty() ? all : member->versions;
  std::erase_if(one->cases, same);
  std::erase(kept, version);
  if (in) kept.push_back(version);
  if (kept.empty()) return;
  std::sort(kept.begin(), kept.end());
  if (kept.size() == all.size()) kept.clear();
  one->cases.push_back({c.title(), kept});
  std::sort(one->cases.begin(), one->cases.end(),
            [](const Difference::Member& a, const Difference::Member& b) { return a.title < b.title; });
}

std::vector<std::string> Differences::of(const Case& c, std::string_view version) const {
  std::vector<std::string> names;
  for (const Difference& difference : all_) {
    for (const Difference::Member& member : difference.cases) {
      if (member.title != c.title()) continue;
      if (member.versions.empty() || has(member.versions, version)) names.push_back(difference.name);
    }
  }
  return names;
}

std::vector<std::string> Differences::mistakes_of_entries(const std::vector<Case>& cases,
                                                          const std::vector<std::string>& versions) const {
  std::vector<std::string> found;
  std::set<std::string> titles;
  for (const Case& c : cases) {
    if (runs_in_any(c, versions)) titles.insert(c.title());
  }
  std::set<std::string> names;
  for (const Difference& difference : all_) {
    if (!names.insert(difference.name).second) found.push_back(difference.name + ": stands there twice");
    if (difference.why.empty()) found.push_back(difference.name + ": says not why");
    const bool page = !difference.page.empty() && std::filesystem::exists(INLAY_SOURCE_DIR "/" + difference.page);
    if (!page) found.push_back(difference.name + ": names no page that is there");
    if (difference.cases.empty()) found.push_back(difference.name + ": no case shows it");
    std::set<std::string> seen;
    for (const Difference::Member& member : difference.cases) {
      const std::string where = difference.name + ", " + member.title;
      if (!titles.contains(member.title))
        found.push_back(where + ": there is no such case, or it does not run in Envoy");
      if (!seen.insert(member.title).second) found.push_back(where + ": stands there twice");
      check_versions(where, member.versions, versions, found);
    }
  }
  return found;
}

std::vector<std::string> Differences::mistakes(const std::vector<Case>& cases,
                                               const std::vector<std::string>& versions) const {
  std::vector<std::string> found = mistakes_of_entries(cases, versions);
  for (const Case& c : cases) {
    for (const InEnvoy& one : c.in_envoy) check_versions(c.title(), one.versions, versions, found);
    for (const std::string& version : versions) {
      if (!runs_in_envoy(c, version)) continue;
      const std::vector<std::string> under = of(c, version);
      if (const std::string* own = c.expected_in_envoy(version); own != nullptr) {
        if (under.empty())
          found.push_back(c.title() + ": no difference says why it is another one in Envoy " + version);
        if (*own == c.expected_by(protocol_of(version)))
          found.push_back(c.title() + ": the transcript for Envoy " + version + " is the same one");
        continue;
      }
      for (const std::string& name : under) {
        if (rule_of(name) == nullptr) {
          found.push_back(c.title() + ": has no transcript for Envoy " + version + ", and " + name + " is no rule");
        }
      }
    }
  }
  return found;
}

bool agrees(const std::string& expected, const std::vector<std::string>& names, const std::string& seen) {
  return apply_rules_to_all(names, seen) == apply_rules_to_all(names, expected);
}

bool only_words(const std::vector<std::string>& names) {
  return names.size() == 1 && names.front() == "host_log";
}

Verdict judge(const Case& c, std::string_view version, const Differences& differences, const std::string& seen) {
  using Kind = Verdict::Kind;
  const std::vector<std::string> names = differences.of(c, version);
  const std::string& expected = c.expected_by(protocol_of(version));
  if (const std::string* own = c.expected_in_envoy(version); own != nullptr) {
    const std::vector<std::string> unsure = unsteady(names);
    const std::string wanted = apply_rules_to_all(unsure, *own);
    const std::string got = apply_rules_to_all(unsure, seen);
    return {wanted == got ? Kind::kRecorded : Kind::kUnexplained, wanted == got ? "" : tester::difference(wanted, got)};
  }
  if (!agrees(expected, names, seen)) {
    return {Kind::kUnexplained,
            tester::difference(apply_rules_to_all(names, expected), apply_rules_to_all(names, seen))};
  }
  for (const std::string& name : names) {
    std::vector<std::string> others = names;
    std::erase(others, name);
    if (agrees(expected, others, seen)) {
      return {Kind::kUnexplained, "conformance/differences has it under " + name + ", which it does not need\n"};
    }
  }
  return {names.empty() ? Kind::kAgrees : only_words(names) ? Kind::kWords : Kind::kRecorded, ""};
}

}  // namespace inlay::conformance
