// SPDX-License-Identifier: Apache-2.0
#pragma once

// Counters in a module's own code: at places that the caller names, instructions that add one to a global of their own.
// The globals stand behind those that are there, so that no index of the module changes, and memory, tables, stack and
// results are what they were. What the counters have come to is read from outside (compiler/recorder.h).
//
//     // Counts the calls of each function that the module defines.
//     Result<std::vector<uint8_t>> counting_calls(std::span<const uint8_t> module) {
//       INLAY_TRY(const std::vector<size_t> places, function_entries(module));
//       return with_counters(module, places);
//     }
//
// Nothing is validated (compiler/parse.h does that); any bytes may be given.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace inlay::coverage {

// A function that the module defines.
struct FunctionCode {
  size_t end = 0;                    // offset in the module, behind its last byte
  std::vector<size_t> instructions;  // where each begins, in their order; at least one
};
// In the functions' order. kInvalidArgument, with the offset, for what is no module.
Result<std::vector<FunctionCode>> function_code(std::span<const uint8_t> module);

// Where the first instruction of each function that the module defines is, behind its locals: offsets in the module, in
// the functions' order. kInvalidArgument, with the offset, for what is no module.
Result<std::vector<size_t>> function_entries(std::span<const uint8_t> module);

// The module with a counter at each of `places`, which are sorted offsets of instructions, without one twice; the nth
// place's counter is the nth of the last places.size() globals, all of them i64. Custom sections are left out but for
// the names. kInvalidArgument for what is no module, and for a place that is in no function.
Result<std::vector<uint8_t>> with_counters(std::span<const uint8_t> module, std::span<const size_t> places);

}  // namespace inlay::coverage
