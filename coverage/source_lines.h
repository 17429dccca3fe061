// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where in a module's code the lines of its sources begin, for counters there (instrument.h), and how often each line
// ran by what they say.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace inlay::coverage {

// The places of one line's statements: offsets of instructions in the module.
struct SourceLine {
  uint32_t line = 0;  // from 1
  std::vector<size_t> places;
};

struct SourceFile {
  std::string path;
  std::vector<SourceLine> lines;  // by their numbers
};

// The lines of a module that has DWARF, by file, in the order of their paths; empty for one that has none. A place that
// DWARF names and no instruction begins at (a tool has moved code and left DWARF alone) is left out. Errors:
// kInvalidArgument for what is no module, or DWARF that cannot be read.
Result<std::vector<SourceFile>> source_lines(std::span<const uint8_t> module);

// Whether a file is one of those that a report is about: it is there, and not of the system (below /usr) or of a
// package that Cargo has fetched.
bool is_own_source(const std::string& path);

}  // namespace inlay::coverage
