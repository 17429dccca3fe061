// SPDX-License-Identifier: Apache-2.0
#pragma once

// Expectation: one line `expect ...` of a case.
//
//     expect client status 403
//     expect upstream header authorization = Bearer x
//     expect no call auth
//
// contradiction.h says whether what was seen is so.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tester/words.h"

namespace inlay::tester {

// Pattern is what a value must be.
class Pattern {
 public:
  Pattern() = default;  // any value
  // Of the text behind the words that say what the value is of: "= Bearer x", "~ /RE/i". Errors: kInvalidArgument with
  // what would be right.
  static Result<Pattern> parse(std::string_view text);

  bool matches(std::string_view value) const;

 private:
  struct Regex;
  std::optional<std::string> text_;
  std::shared_ptr<const Regex> regex_;
};

// Comparison is what a number must be.
struct Comparison {
  std::string op = "=";
  std::string value;  // a number, or "absent"

  static Result<Comparison> parse(std::string_view text);
  // `seen`: a number, or "absent".
  bool holds(std::string_view seen) const;
};

struct Expectation {
  enum class Of : uint8_t {
    kStatus,
    kMethod,
    kPath,
    kHeader,
    kTrailer,
    kBody,
    kMessage,  // there is one
    kClosed,
    kCount,
    kLog,
    kAccessLog,
    kMetric,
    kHazard,
    kTrap,
  };
  Of of = Of::kMessage;
  bool no = false;
  std::string actor;  // whose messages: "client", "origin", a cluster
  std::string name;   // of a header, a trailer, a metric, a hazard; a level of the log
  Pattern value;
  Comparison number;

  std::string line;   // as it stands
  std::string place;  // "slow.case:12"
};

// `text` is the line; `words` its words, the first of which is "expect". Errors: kInvalidArgument with what would be
// right.
Result<Expectation> parse_expectation(const std::string& text, const std::vector<Word>& words);

}  // namespace inlay::tester
