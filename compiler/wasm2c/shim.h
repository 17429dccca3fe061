// SPDX-License-Identifier: Apache-2.0
#pragma once

// The C around wasm2c's output, and all that depends on wabt's version.
//
// An artifact is one C translation unit, or several (split.h): our wasm-rt.h, wasm2c's guest.h and guest.c, and a shim
// that defines the imports (through GuestContext::imports), and a Descriptor. wabt 1.0.32 and earlier (kNumbered
// function types, `Z_guest_...` names) and later ones (`w2c_guest_...`) differ; which one wrote a text is seen in the
// text.

#include <string>
#include <string_view>

#include "base/result.h"
#include "compiler/parse.h"
#include "engine/engine.h"

namespace inlay::compiler {

// The module and its imports and exports are renamed before translation, so that no name of a module's author
// reaches the C compiler, in an identifier or in a comment: imports are env.i0, env.i1, ..., exports e0, e1, ...
inline constexpr std::string_view kModuleName = "guest";
inline constexpr std::string_view kImportModule = "env";
std::string import_name(size_t index);
std::string export_name(size_t index);

// C text of the header that wasm2c's output includes as wasm-rt.h.
std::string_view runtime_header();

// kUnsupported if an import has a type that a host function cannot have, or is none.
Result<> check_imports(const engine::Description& module);

// The shim: a C file that includes guest.c. `c` is what wasm2c wrote. kUnsupported if the generated text is of a
// layout that Inlay does not know, or as check_imports().
Result<std::string> make_shim(const GeneratedC& c, const engine::Description& module, std::string_view key);

// The first lines of part `part`, 1 or more, of a module that split_c() has split.
std::string part_head(size_t part);

}  // namespace inlay::compiler
