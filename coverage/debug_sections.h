// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where DWARF and code are in a module.

#include <cstddef>
#include <cstdint>
#include <span>

#include "coverage/line_table.h"

namespace inlay::coverage {

struct ModuleSections {
  DebugSections debug;  // views of the module's bytes
  size_t code = 0;      // offset of the code section's content; 0: there is none
};

// Of any bytes, as far as they can be read.
ModuleSections module_sections(std::span<const uint8_t> module);

}  // namespace inlay::coverage
