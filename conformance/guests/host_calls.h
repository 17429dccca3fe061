// SPDX-License-Identifier: Apache-2.0
#pragma once

// The puppet's actions: each is a host function with the arguments of the script, and a log line with its result.

#include <string>
#include <string_view>

#include "conformance/guests/script.h"
#include "sdk/host_functions.h"

namespace puppet {

using inlay::abi::Status;

// What is different between the ABI's versions (version_*.cc).
Status continue_stream(unsigned direction);
Status close_stream(unsigned stream);
Status get_configuration(char** data, size_t* size);
Status get_log_level(inlay::abi::LogLevel* level);

void say(std::string_view text);
std::string to_text(Status status);

// Numbers that actions leave behind for later ones.
struct Memory {
  unsigned root = 0;    // the root context's id
  unsigned stream = 0;  // the stream context that was created last
  unsigned cas = 0;     // of the last get_shared_data
};
Memory& memory();

// Carries an action out and logs it; false: there is no such action.
bool run_action(const Action& action);

}  // namespace puppet
