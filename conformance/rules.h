// SPDX-License-Identifier: Apache-2.0
#pragma once

// Rules: what a difference of conformance/differences leaves out of a transcript, so that a case under it is compared
// in all else. A rule is applied to both sides, a step at a time.

#include <string>
#include <string_view>
#include <vector>

namespace inlay::conformance {

struct Rule {
  std::string_view name;  // of the difference
  std::string_view what;  // it leaves out
  std::string (*apply)(const std::string& step);
  // It leaves out what differs from run to run, of a case's own transcript for Envoy too.
  bool unsteady = false;
};

const std::vector<Rule>& rules();
// Null for a difference that has none.
const Rule* rule_of(std::string_view name);
// Those of `names` whose rule is unsteady.
std::vector<std::string> unsteady(const std::vector<std::string>& names);

// A step as those differences leave it; names without a rule leave it as it is. Where a signal has ended the proxy, it
// is always without what others got of it afterwards, which is chance.
std::string apply_rules(const std::vector<std::string>& names, std::string step);
// The same for a whole transcript.
std::string apply_rules_to_all(const std::vector<std::string>& names, std::string_view transcript);

}  // namespace inlay::conformance
