// SPDX-License-Identifier: Apache-2.0
#pragma once

// The words that cases are written in: parted by spaces; "..." holds spaces together and knows \n, \r, \t, \0, \",
// \\ and \xHH; "..."*N is the text N times.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace inlay::tester {

struct Word {
  std::string text;
  bool quoted = false;  // it began with a quotation mark
};

// Errors: kInvalidArgument for a quotation that does not end or an escape that is none.
Result<std::vector<Word>> split_words(std::string_view line);

using Fields = std::vector<std::pair<std::string, std::string>>;

// "name=value" at its first '=' that is not the first character; false when there is none.
bool split_field(const std::string& word, std::string& name, std::string& value);

// A text as transcripts show it: in quotation marks, what is not printable escaped, long ones cut with their size.
std::string quote(std::string_view text);

}  // namespace inlay::tester
