// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which lines of source a module's code is made of: DWARF's line tables
// (versions 2 to 5, section 6.2 of the standard), with addresses as WebAssembly
// has them, which count from the content of the code section.
//
//     INLAY_TRY(const LineTable table, read_line_table({section(".debug_line"),
//     {}, {}})); for (const LineRow& row : table.rows) std::cout <<
//     table.files[row.file] << ":" << row.line << "\n";
//
// Any bytes may be given; time and memory are bounded by their number.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace inlay::coverage {

struct LineRow {
  uint64_t address = 0;  // from the begin of the code section's content
  uint32_t file = 0;     // in LineTable::files
  uint32_t line = 0;     // from 1
};

struct LineTable {
  std::vector<std::string> files;  // as the compiler was given them, or from the root
  std::vector<LineRow> rows;       // where statements begin
};

// The custom sections of their names; those that the module lacks are empty.
struct DebugSections {
  std::span<const uint8_t> debug_line;
  std::span<const uint8_t> debug_line_str;
  std::span<const uint8_t> debug_str;
};

// What linkers have thrown away, whose addresses are 0 or the highest, is left
// out. Errors: kInvalidArgument, with the offset in .debug_line.
Result<LineTable> read_line_table(const DebugSections& sections);

}  // namespace inlay::coverage
