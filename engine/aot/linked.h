// SPDX-License-Identifier: Apache-2.0
#pragma once

// Modules whose compiled code is linked into the program, or into the shared object that this is in: no artifact, and
// nothing to load. compiler/dynamic_module.h links them; here is what both sides must agree on.

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.h"
#include "engine/aot/runtime.h"
#include "engine/engine.h"

namespace inlay::engine::aot {

// Linked is one of them; its twin is in the C text that compiler/dynamic_module.cc writes. kShimAbi counts its changes,
// too.
struct Linked {
  const char* name;
  const char* sha256;  // of the module's bytes, 64 digits
  const Descriptor* descriptor;
  const char* description;  // write_description()
  uint64_t description_size;
};
// The table of them has this name, and ends with a Linked of null pointers.
inline constexpr const char* kLinkedSymbol = "inlay_linked_modules";

// The note that says which modules are in a file: its owner, its type, and in it for each a line "SHA256 NAME\n".
inline constexpr std::string_view kNoteOwner = "Inlay";
inline constexpr uint32_t kNoteModules = 1;
inline constexpr const char* kNoteSection = ".note.inlay";

// Makes the module of a linked one. Thread-safe. kInvalidArgument: it was compiled for another version of Inlay.
Result<std::shared_ptr<Module>> open_linked(const Linked& linked);

}  // namespace inlay::engine::aot
