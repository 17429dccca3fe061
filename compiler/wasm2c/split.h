// SPDX-License-Identifier: Apache-2.0
#pragma once

// wasm2c's C text in several translation units, for several compilers at once.

#include <string>
#include <string_view>
#include <vector>

namespace inlay::compiler {

// SplitC is a module's C text in parts. Every part begins with `common`; what may be there once only, is under
// `#ifndef INLAY_PART` in it. The first part ends with `tail`.
struct SplitC {
  std::string common;
  std::vector<std::string> bodies;  // one for each part: function definitions
  std::string tail;                 // exports and instantiation
};

// Splits guest.c between function definitions into at most `parts` parts of about the same size. No parts if the text
// is not laid out as wabt 1.0.32 does it: then compile it whole.
SplitC split_c(std::string_view source, size_t parts);

}  // namespace inlay::compiler
