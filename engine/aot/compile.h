// SPDX-License-Identifier: Apache-2.0
#pragma once

// The C compiler: which one, and running it.

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/parse.h"

namespace inlay::engine::aot {

struct Compiler {
  std::string path;      // absolute
  std::string identity;  // changes when the program at `path` is another one, or its flags
  std::vector<std::string> flags;
  bool hasty = false;  // quick code without any optimisation is worth it, for its speed at that
};

// The one that optimises. kUnavailable if there is none.
Result<Compiler> find_compiler(const LoadOptions& options);

// The one for quick code: clang, which needs a third of gcc's time at -O0, where it is installed and nobody has named a
// compiler; else `optimizing`, which is what find_compiler() gave.
Compiler find_quick_compiler(const LoadOptions& options, const Compiler& optimizing);

// Translation is all that an artifact is made from: a module's C text, and its description (write_description()).
struct Translation {
  GeneratedC c;
  std::string shim;
  std::string description;
};

struct CompileJob {
  std::string optimization;  // "-O2"
  size_t parts = 1;          // translation units, compiled at the same time
  std::stop_token stop;      // ends it
};

// "-O2" and the like, for LoadOptions::optimization.
std::string optimization_flag(const LoadOptions& options);

// This compiler's quickest way to code that is fit to serve: how, and in how many parts, for C text of this size.
CompileJob quick_job(const Compiler& compiler, size_t source_size);

// Compiles to a shared object, puts the trailer for `key` on it and moves it to `path`. What lies about meanwhile is in
// a temporary directory in `directory`, which is private. kUnavailable with the compiler's own words if it fails, and
// if it was stopped.
Result<> compile(const Compiler& compiler, const Translation& translation, const CompileJob& job,
                 const std::string& directory, const std::string& key, const std::string& path);

}  // namespace inlay::engine::aot
