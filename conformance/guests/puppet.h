// SPDX-License-Identifier: Apache-2.0
#pragma once

// The puppet: a guest that does in each callback what its plugin configuration says (script.h), and logs each callback
// with its arguments, each host call with its result, and what it returns. It uses the host functions directly, in ways
// that no SDK does.

#include <cstdint>
#include <string>
#include <string_view>

namespace puppet {

// A callback as it came.
struct Call {
  const char* name;
  unsigned context;
  std::string arguments;  // for the log, behind the context's id
  bool end = false;
  unsigned otherwise = 0;  // what it returns when the script says nothing
  bool quiet = false;      // not logged unless the script has a handler for it
};

// Logs the call, runs the first handler that fits, and says what to return.
unsigned on_call(const Call& call);

}  // namespace puppet
