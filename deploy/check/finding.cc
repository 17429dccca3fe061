// SPDX-License-Identifier: Apache-2.0
#include "deploy/check/finding.h"

#include <algorithm>
#include <tuple>

#include "document/scalars.h"

namespace inlay::deploy {

using document::json_string;

namespace {

std::string counted(size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string place_text(const Site& site) {
  if (site.place.line == 0) return site.file;
  return site.file + ":" + std::to_string(site.place.line) + ":" + std::to_string(site.place.column);
}

}  // namespace

std::string_view name_of(Severity severity) {
  constexpr std::string_view kNames[] = {"error", "warning", "note"};
  return kNames[static_cast<size_t>(severity)];
}

void Findings::add(Severity severity, std::string_view rule, Site site, std::string what, std::string why,
                   std::string todo) {
  list_.push_back({severity, std::string(rule), std::move(site), std::move(what), std::move(why), std::move(todo)});
}

void Findings::sort() {
  const auto key = [](const Finding& finding) {
    return std::make_tuple(finding.severity, std::cref(finding.site.file), finding.site.place.line,
                           finding.site.place.column);
  };
  std::stable_sort(list_.begin(), list_.end(), [&](const Finding& a, const Finding& b) { return key(a) < key(b); });
}

size_t Findings::count(Severity severity) const {
  return static_cast<size_t>(
      std::count_if(list_.begin(), list_.end(), [&](const Finding& finding) { return finding.severity == severity; }));
}

std::string to_text(const Findings& findings) {
  std::string out;
  for (const Finding& finding : findings.list()) {
    out += place_text(finding.site) + ": " + std::string(name_of(finding.severity)) + ": " + finding.what + " [" +
           finding.rule + "]\n";
    out += "    why: " + finding.why + "\n";
    out += "    do:  " + finding.todo + "\n";
  }
  return out + "check: " + counted(findings.count(Severity::kError), "error") + ", " +
         counted(findings.count(Severity::kWarning), "warning") + ", " +
         counted(findings.count(Severity::kNote), "note") + "\n";
}

std::string to_json(const Findings& findings) {
  std::string out = "{\"findings\": [";
  for (size_t i = 0; i < findings.list().size(); ++i) {
    const Finding& finding = findings.list()[i];
    out += std::string(i == 0 ? "" : ",") + "\n  {\"severity\": " + json_string(name_of(finding.severity)) +
           ", \"rule\": " + json_string(finding.rule) + ", \"file\": " + json_string(finding.site.file) +
           ", \"line\": " + std::to_string(finding.site.place.line) +
           ", \"column\": " + std::to_string(finding.site.place.column) +
           ",\n   \"what\": " + json_string(finding.what) + ",\n   \"why\": " + json_string(finding.why) +
           ",\n   \"do\": " + json_string(finding.todo) + "}";
  }
  return out + "],\n \"errors\": " + std::to_string(findings.count(Severity::kError)) +
         ", \"warnings\": " + std::to_string(findings.count(Severity::kWarning)) +
         ", \"notes\": " + std::to_string(findings.count(Severity::kNote)) + "}\n";
}

}  // namespace inlay::deploy
