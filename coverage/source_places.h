// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which line of source an instruction of a module is of, by the module's DWARF; and the backtraces of interpreted
// guests, whose functions have such lines in the place of offsets.
//
//     // "  0: check(unsigned) at src/filter.cc:12" of "  0: check(unsigned) @ 0x2f1"
//     std::string readable = SourcePlaces::of(module).in_backtrace(trap.backtrace);

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "coverage/line_table.h"

namespace inlay::coverage {

struct SourcePlace {
  std::string path;   // as DWARF has it, without "." and ".."
  uint32_t line = 0;  // from 1
};

class SourcePlaces {
 public:
  // Of any bytes: what has no DWARF that can be read has no places.
  static SourcePlaces of(std::span<const uint8_t> module);

  // That of the instruction at an offset in the module: of the statement that begins there or, in the same function,
  // last before it. With inlined code that is the line which it was written in.
  std::optional<SourcePlace> at(size_t offset) const;

  // engine::Trap::backtrace with " at FILE:LINE" where it has " @ OFFSET", or nothing where the line is not known.
  // Files below the current folder are named from there.
  std::string in_backtrace(std::string_view backtrace) const;

 private:
  LineTable table_;                // its rows by their addresses
  size_t code_ = 0;                // offset of the code section's content
  std::vector<size_t> functions_;  // where each one's first instruction is, in their order; behind them the end
};

}  // namespace inlay::coverage
