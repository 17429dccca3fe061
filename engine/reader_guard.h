// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace inlay::engine {

// Bounds on what a few bytes of a module can make its readers allocate or recurse over. Those of the first three are
// the ones that browsers have in common (the WebAssembly JavaScript interface, "Limits"); compilers keep far below them
// all.
namespace reader_limits {
inline constexpr uint64_t kLocals = 50000;  // of one function, parameters left out
inline constexpr uint32_t kParams = 1000;
inline constexpr uint32_t kResults = 1000;
inline constexpr uint32_t kNesting = 10000;  // of blocks, loops and ifs in one function
}  // namespace reader_limits

// What in the module wabt's readers and writers would not survive, in a sentence; empty if nothing is: what is over a
// limit, and what wabt lets through and then trips over. Allocates next to nothing, whatever the module says. To be
// asked before anything else reads the module, which may be invalid.
std::string unfit_for_readers(std::span<const uint8_t> bytes);

// What wabt takes for valid in a module that may, or may not, use SIMD, and what is not, in a sentence; empty if
// nothing is. To be asked of a module that wabt's validation has passed.
std::string wrongly_passed(std::span<const uint8_t> bytes, bool simd);

}  // namespace inlay::engine
