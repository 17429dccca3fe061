// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace inlay::compiler {

// Bounds on what a few bytes of a module can make its readers allocate or recurse over. Those of the first three are
// the ones that browsers have in common (the WebAssembly JavaScript interface, "Limits"); compilers keep far below them
// all.
namespace reader_limits {
inline constexpr uint64_t kLocals = 50000;  // of one function, parameters left out
inline constexpr uint32_t kParams = 1000;
inline constexpr uint32_t kResults = 1000;
inline constexpr uint32_t kNesting = 10000;  // of blocks, loops and ifs in one function
}  // namespace reader_limits

// unfit_for_readers: looks for what wabt's readers and writers would not survive: what is over a limit, and what wabt
// accepts and then runs into an assertion at. Returns a sentence that says what was found, or an empty string.
// Allocates next to nothing, whatever the module says. To be called before anything else reads the module, which may be
// invalid.
std::string unfit_for_readers(std::span<const uint8_t> bytes);

// wrongly_passed: looks for what is invalid and yet passes wabt's validation, in a module that may use SIMD only if
// `simd` is true. Returns a sentence that says what was found, or an empty string. To be called of a module that has
// passed that validation.
std::string wrongly_passed(std::span<const uint8_t> bytes, bool simd);

}  // namespace inlay::compiler
