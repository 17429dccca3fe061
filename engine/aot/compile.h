// SPDX-License-Identifier: Apache-2.0
#pragma once

// The C compiler: which one, and running it.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/parse.h"

namespace inlay::engine::aot {

struct Compiler {
  std::string path;      // absolute
  std::string identity;  // changes when the program at `path` is another one
  std::vector<std::string> flags;
};

// kUnavailable if there is none.
Result<Compiler> find_compiler(const LoadOptions& options);

// Compiles `c` with `shim` to the shared object `output`, in a temporary directory in `directory`, which is private.
// kUnavailable with the compiler's own words if it fails.
Result<> compile(const Compiler& compiler, const GeneratedC& c, std::string_view shim, const std::string& directory,
                 const std::string& output);

}  // namespace inlay::engine::aot
