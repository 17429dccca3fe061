// SPDX-License-Identifier: Apache-2.0
#pragma once

// The C compiler: which one, and running it.

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "compiler/compiler.h"
#include "compiler/wasm2c/translate.h"
#include "engine/aot/artifact.h"

namespace inlay::compiler {

struct Compiler {
  std::string path;      // absolute
  std::string identity;  // changes when the program at `path` is another one, or its flags
  std::vector<std::string> flags;
  bool quick_at_o0 = false;  // -O0 is so much faster than -Og that quick code is always made at -O0
};

// find_compiler: the compiler for optimised code. kUnavailable if there is none.
Result<Compiler> find_compiler(const LoadOptions& options);

// find_quick_compiler: the compiler for quick code: clang, which needs a third of gcc's time at -O0, where it is
// installed and nobody has named a compiler; else `optimizing`, which is what find_compiler() returned.
Compiler find_quick_compiler(const LoadOptions& options, const Compiler& optimizing);

struct CompileJob {
  std::string optimization;  // "-O2"
  size_t parts = 1;          // translation units, compiled at the same time
  std::stop_token stop;      // ends it
};

// "-O2" and the like, for LoadOptions::optimization.
std::string optimization_flag(const LoadOptions& options);

// quick_job: the job by which this compiler makes quick code of `source_size` bytes of C: -O0 or -Og, and the number of
// translation units.
CompileJob quick_job(const Compiler& compiler, size_t source_size);

// compile: makes a shared object, appends the trailer for `id` and renames it to `path`. Intermediate files are in a
// temporary directory within `directory`, which no other user can write, and are removed at the end. Errors:
// kUnavailable with the compiler's own words if it failed, and if the job was stopped.
Result<> compile(const Compiler& compiler, const Translation& translation, const CompileJob& job,
                 const std::string& directory, const engine::aot::ModuleId& id, const std::string& path);

// compile_object: makes the object file `object`, whose only global name is `symbol`, in place of the descriptor's:
// several such can be linked together. Works in the folder `in`, which stays. Errors: as compile()'s; kUnavailable if
// there is no objcopy.
Result<> compile_object(const Compiler& compiler, const Translation& translation, const CompileJob& job,
                        const std::string& in, const std::string& symbol, const std::string& object);

}  // namespace inlay::compiler
