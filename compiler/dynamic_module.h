// SPDX-License-Identifier: Apache-2.0
#pragma once

// Modules of WebAssembly as one shared object that Envoy loads: their compiled code, linked with what runs it (the room
// dynamic_module, as one object file that the build has made). docs/reference/dynamic_module.md is for who uses it.

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/compiler.h"

namespace inlay::compiler {

// LinkedModule is one of them: Envoy's `filter_name` chooses it.
struct LinkedModule {
  std::string name;
  std::span<const uint8_t> bytes;
};

// Compiles the modules and links them with the object file `runtime` to the file `output`, which is written under a
// temporary name and renamed. A note in it, kNoteOwner, has each module's name and the SHA-256 of its bytes. Of
// `options` the compiler, the optimisation and `stop` count. Errors: as compile_module()'s, with the module's name as
// the place; kInvalidArgument if two modules have one name, or if there is none; kNotFound if there is no `runtime`.
Result<> compile_dynamic_module(std::span<const LinkedModule> modules, const LoadOptions& options,
                                const std::string& runtime, const std::string& output);

}  // namespace inlay::compiler
