// SPDX-License-Identifier: Apache-2.0
#include "conformance/record.h"

#include <algorithm>
#include <optional>

#include "conformance/rules.h"

namespace inlay::conformance {
namespace {

// The fewest rules under which it agrees, if there are any.
std::optional<std::vector<std::string>> fewest_rules(const Case& c, const SeenInEnvoy& seen) {
  std::optional<std::vector<std::string>> fewest;
  for (unsigned set = 0; set < 1U << rules().size(); ++set) {
    std::vector<std::string> names;
    for (size_t i = 0; i < rules().size(); ++i) {
      if ((set >> i & 1U) != 0) names.emplace_back(rules()[i].name);
    }
    if (fewest && names.size() >= fewest->size()) continue;
    if (agrees(c, names, seen)) fewest = std::move(names);
  }
  return fewest;
}

void forget_transcript(Case& c, const std::string& version) {
  for (InEnvoy& one : c.in_envoy) std::erase(one.versions, version);
  std::erase_if(c.in_envoy, [](const InEnvoy& one) { return one.versions.empty(); });
}

void keep_transcript(Case& c, const std::string& version, const std::string& transcript) {
  for (InEnvoy& one : c.in_envoy) {
    if (one.transcript == transcript) {
      one.versions.push_back(version);
      std::sort(one.versions.begin(), one.versions.end());
      return;
    }
  }
  c.in_envoy.push_back({{version}, transcript});
  std::sort(c.in_envoy.begin(), c.in_envoy.end(),
            [](const InEnvoy& a, const InEnvoy& b) { return a.versions < b.versions; });
}

}  // namespace

void record(Case& c, Differences& differences, const std::string& version, const SeenInEnvoy& seen,
            const std::vector<std::string>& versions) {
  const std::vector<std::string> before = differences.of(c, version);
  forget_transcript(c, version);
  const auto rules = fewest_rules(c, seen);
  if (!rules) {
    keep_transcript(c, version, apply_rules_to_all(unsteady(before), seen.all));
    if (before.empty()) differences.put("unexplained", c, version, true, versions);
    return;
  }
  for (const std::string& name : before) differences.put(name, c, version, false, versions);
  for (const std::string& name : *rules) differences.put(name, c, version, true, versions);
}

}  // namespace inlay::conformance
