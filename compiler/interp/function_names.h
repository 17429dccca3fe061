// SPDX-License-Identifier: Apache-2.0
#pragma once

// The names of a module's functions, for backtraces. C++17, as wabt_machine.h is. Any bytes may be given: what cannot
// be read is no name.

#include <cstddef>
#include <cstdint>
#include <string>

namespace inlay::compiler::interp {

// The part of a module's name section that has the functions' names, as it is there; empty where there is none.
std::string function_name_section(const uint8_t* module, size_t size);

// The name that this part has for a function, readable (base/function_name.h) and fit for one line; else "function 12".
std::string function_name(const std::string& section, uint32_t index);

}  // namespace inlay::compiler::interp
