// SPDX-License-Identifier: Apache-2.0
#include "conformance/rules.h"

#include <algorithm>
#include <sstream>

#include "tester/transcript.h"

namespace inlay::conformance {
namespace {

std::vector<std::string> lines_of(const std::string& step) {
  std::vector<std::string> lines;
  std::istringstream text(step);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// With the reasons why a proxy does not start, which are indented.
std::string host_log(const std::string& step) {
  std::vector<std::string> lines = lines_of(step);
  std::erase_if(lines, [](const std::string& line) { return line.starts_with("host [") || line.starts_with("  "); });
  return joined(lines);
}

std::string reset(const std::string& step) {
  std::vector<std::string> lines = lines_of(step);
  for (std::string& line : lines) {
    for (const std::string_view how : {"reset", "close"}) {
      if (line.ends_with(" got " + std::string(how))) line.replace(line.size() - how.size(), how.size(), "end");
    }
  }
  return joined(lines);
}

// An on_log with one action that comes again at once.
std::string recursion(const std::string& step) {
  std::vector<std::string> kept;
  for (std::string& line : lines_of(step)) {
    kept.push_back(std::move(line));
    const size_t n = kept.size();
    if (n >= 4 && kept[n - 1] == kept[n - 3] && kept[n - 2] == kept[n - 4] &&
        kept[n - 2].find(": on_log ") != std::string::npos)
      kept.resize(n - 2);
  }
  return joined(kept);
}

// What a proxy had sent when a signal ended it may have arrived or not, and its connections end by FIN or RST.
std::string without_what_a_crash_cuts(const std::string& step) {
  std::vector<std::string> lines = lines_of(step);
  const auto crash = std::find_if(lines.begin(), lines.end(),
                                  [](const std::string& line) { return line.starts_with("envoy: ended by signal"); });
  if (crash == lines.end()) return step;
  const auto cut = [](const std::string& line) {
    return line.starts_with("client got ") || line.ends_with(" got close") || line.ends_with(" got reset");
  };
  lines.erase(std::remove_if(crash, lines.end(), cut), lines.end());
  return joined(lines);
}

}  // namespace

const std::vector<Rule>& rules() {
  static const std::vector<Rule> all = {
      {"host_log", "the host's own lines", host_log},
      {"reset", "whether the end of a connection is an RST or a FIN", reset, true},
      {"passed_reset", "whether the end of a connection is an RST or a FIN", reset},
      {"recursion", "how often a callback calls itself before the process ends", recursion, true},
  };
  return all;
}

const Rule* rule_of(std::string_view name) {
  for (const Rule& rule : rules()) {
    if (rule.name == name) return &rule;
  }
  return nullptr;
}

std::vector<std::string> unsteady(const std::vector<std::string>& names) {
  std::vector<std::string> found;
  for (const std::string& name : names) {
    const Rule* const rule = rule_of(name);
    if (rule != nullptr && rule->unsteady) found.push_back(name);
  }
  return found;
}

std::string apply_rules(const std::vector<std::string>& names, std::string step) {
  step = without_what_a_crash_cuts(step);
  for (const std::string& name : names) {
    const Rule* const rule = rule_of(name);
    if (rule != nullptr) step = rule->apply(step);
  }
  return step;
}

std::string apply_rules_to_all(const std::vector<std::string>& names, std::string_view transcript) {
  std::string text;
  for (std::string& step : tester::split_steps(transcript)) text += apply_rules(names, std::move(step));
  return text;
}

}  // namespace inlay::conformance
