// SPDX-License-Identifier: Apache-2.0
#include "conformance/record.h"

#include <algorithm>
#include <optional>

#include "conformance/envoys.h"
#include "conformance/rules.h"

namespace inlay::conformance {
namespace {

// The fewest rules under which it agrees, if there are any.
std::optional<std::vector<std::string>> fewest_rules(const std::string& expected, const std::string& seen) {
  std::optional<std::vector<std::string>> fewest;
  for (unsigned set = 0; set < 1U << rules().size(); ++set) {
    std::vector<std::string> names;
    for (size_t i = 0; i < rules().size(); ++i) {
      if ((set >> i & 1U) != 0) names.emplace_back(rules()[i].name);
    }
    if (fewest && names.size() >= fewest->size()) continue;
    if (agrees(expected, names, seen)) fewest = std::move(names);
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

// What the case stands under in another version in which it shows the same.
std::vector<std::string> as_elsewhere(const Case& c, const Differences& differences, const std::string& version) {
  const std::string* const own = c.expected_in_envoy(version);
  for (const InEnvoy& one : c.in_envoy) {
    for (const std::string& other : one.versions) {
      if (other != version && *own == one.transcript) return differences.of(c, other);
    }
  }
  return {"unexplained"};
}

}  // namespace

void record(Case& c, Differences& differences, const std::string& version, const std::string& seen,
            const std::vector<std::string>& versions) {
  const std::vector<std::string> before = differences.of(c, version);
  std::vector<std::string> known = before;
  for (const std::string& other : versions) {
    if (known.empty()) known = differences.of(c, other);
  }
  forget_transcript(c, version);
  if (const auto rules = fewest_rules(c.expected_by(protocol_of(version)), seen)) {
    for (const std::string& name : before) differences.put(name, c, version, false, versions);
    for (const std::string& name : *rules) differences.put(name, c, version, true, versions);
    return;
  }
  keep_transcript(c, version, apply_rules_to_all(unsteady(known), seen));
  if (!before.empty()) return;
  for (const std::string& name : as_elsewhere(c, differences, version)) {
    differences.put(name, c, version, true, versions);
  }
}

}  // namespace inlay::conformance
