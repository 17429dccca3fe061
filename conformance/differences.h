// SPDX-License-Identifier: Apache-2.0
#pragma once

// conformance/differences: in what Envoy differs from the cases, why, and where it is documented. One entry a
// difference:
//
//     difference host_log
//       why: The host's own lines have other words.
//       page: docs/guide/plugins.md
//       case traps/unreachable
//       case start/capabilities 1.39.3 1.40.0
//
// A case that differs stands under each difference that it shows, with the versions, or none for all; a version is a
// way to run a case in Envoy (envoys.h): "1.40.0/http2". Where those have rules (rules.h), what they leave must agree;
// else the case has a transcript of its own, "#### expect in envoy VERSION".

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conformance/names.h"

namespace inlay::conformance {

struct Difference {
  std::string name;
  std::string why;
  std::string page;
  struct Member {
    std::string title;                  // "traps/unreachable"
    std::vector<std::string> versions;  // none: all
  };
  std::vector<Member> cases;
};

class Differences {
 public:
  // Errors: kInvalidArgument with the line's number.
  static Result<Differences> parse(std::string_view text);
  static Result<Differences> read(const std::string& path);

  const std::vector<Difference>& all() const { return all_; }
  // The names of those that the case stands under in that version.
  std::vector<std::string> of(const Case& c, std::string_view version) const;

  // Puts a case under one of them in that version, or takes it out. `versions`: all that there are.
  void put(std::string_view name, const Case& c, const std::string& version, bool in,
           const std::vector<std::string>& versions);
  // The file as it would be written.
  std::string text() const;

  // What is wrong with them without a run: a case or a version that is none, a reason or a page that lacks, a
  // transcript that no difference explains, a case that could not be compared. A line each.
  std::vector<std::string> mistakes(const std::vector<Case>& cases, const std::vector<std::string>& versions) const;
  // Those of them that its entries have, whatever transcripts there are.
  std::vector<std::string> mistakes_of_entries(const std::vector<Case>& cases,
                                               const std::vector<std::string>& versions) const;

 private:
  std::string head_;  // the comment that it begins with
  std::vector<Difference> all_;
};

// conformance/differences of the source tree, or another file there. Errors of writing: kIo.
Result<Differences> read_differences(std::string_view name = "differences");
Result<Unit> write_differences(const Differences& differences, std::string_view name = "differences");

// Whether what an Envoy has shown is what is expected, but for what the rules of those differences leave out.
bool agrees(const std::string& expected, const std::vector<std::string>& names, const std::string& seen);

// Whether all that differs is the words of the host's own log.
bool only_words(const std::vector<std::string>& names);

struct Verdict {
  // kWords: but for the words of the host's own log.
  enum class Kind : uint8_t { kAgrees, kWords, kRecorded, kUnexplained } kind = Kind::kUnexplained;
  std::string text;  // why it is unexplained
};

Verdict judge(const Case& c, std::string_view version, const Differences& differences, const std::string& seen);

}  // namespace inlay::conformance
