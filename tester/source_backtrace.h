// SPDX-License-Identifier: Apache-2.0
#pragma once

// Backtraces of a case's guests with the lines of source that its modules' DWARF knows.

#include <string>
#include <string_view>

#include "tester/world.h"

namespace inlay::tester {

// `backtrace` (Incident::backtrace) of the guest of which `line` (Incident::line) says that it has failed. Reads the
// run's bootstrap once more, for the module; without one, or DWARF in it, there are names alone.
std::string with_source(const Run& run, std::string_view line, std::string_view backtrace);

}  // namespace inlay::tester
