// SPDX-License-Identifier: Apache-2.0
#pragma once

// The puppet's script: its plugin configuration, and up to on_configure its VM configuration, one handler a line.
//
//     on request_headers: set req x-a 1; return pause
//     on request_body end: body req 0 100
//     on request_headers #2: reply 403 "second request of this context"
//
// A handler is "on CALLBACK [CONDITION]: ACTION; ACTION". The first whose condition holds runs. Conditions: "end" and
// "more" (the callback's end_of_stream), "#N" (the N-th call of it in this context), "path=PREFIX". Words are parted by
// spaces; "..." holds spaces together and knows \n, \t, \0, \", \\ and \xHH; "..."*N is the text N times.

#include <string>
#include <string_view>
#include <vector>

namespace puppet {

struct Word {
  std::string text;
  bool quoted = false;  // it began with a quotation mark
};
using Action = std::vector<Word>;

struct Handler {
  std::string callback;
  std::string condition;
  std::vector<Action> actions;
};

// A text's handlers; lines that are none are passed over.
std::vector<Handler> parse_script(std::string_view text);

// A value as the log shows it: in quotation marks, what is not printable escaped, long ones cut with their size.
std::string quote(std::string_view value);

unsigned parse_number(std::string_view text);
std::string to_text(unsigned long long number);

}  // namespace puppet
