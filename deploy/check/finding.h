// SPDX-License-Identifier: Apache-2.0
#pragma once

// Findings: what `inlay deploy check` says before a rollout, each with its reason and what to do. Plain data.
//
//     Findings findings;
//     findings.add(Severity::kError, "missing-service", place_of(resource),
//                  "no Service selects the pods of orders and has 8090 as its targetPort",
//                  "istiod makes an inbound listener for the ports of Services only", "add a Service ...");
//     std::fputs(to_text(findings).c_str(), stdout);

#include <string>
#include <string_view>
#include <vector>

#include "document/diagnostics.h"

namespace inlay::deploy {

// kError: it will not do what it says, or hands out a token. kWarning: it may not. kNote: what to know.
enum class Severity : uint8_t { kError, kWarning, kNote };
std::string_view name_of(Severity severity);

// Site is where a finding was made.
struct Site {
  std::string file;
  document::Place place;
};

struct Finding {
  Severity severity = Severity::kError;
  std::string rule;  // "token-reach": docs/reference/deploy_check.md has a section of that name
  Site site;
  std::string what;  // what will happen
  std::string why;
  std::string todo;  // what to do about it
};

class Findings {
 public:
  void add(Severity severity, std::string_view rule, Site site, std::string what, std::string why, std::string todo);
  // By severity, then by file and place.
  void sort();

  const std::vector<Finding>& list() const { return list_; }
  size_t count(Severity severity) const;

 private:
  std::vector<Finding> list_;
};

// For people: a paragraph a finding, and a last line that counts them.
std::string to_text(const Findings& findings);
// {"findings": [{"severity": "error", "rule": ..., "file": ..., "line": 3, "column": 1, "what": ..., "why": ..., "do":
// ...}],
//  "errors": 1, "warnings": 0, "notes": 0}
std::string to_json(const Findings& findings);

}  // namespace inlay::deploy
