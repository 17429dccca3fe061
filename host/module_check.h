// SPDX-License-Identifier: Apache-2.0
#pragma once

// Is this module a proxy-wasm module that this host can run?

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "abi/types.h"
#include "base/result.h"
#include "engine/engine.h"

namespace inlay::host {

// ModuleFindings is what a module's imports and exports say of it. It can run here if there are no faults.
struct ModuleFindings {
  std::optional<abi::Version> version;  // none: it exports no marker of an ABI that we know
  std::vector<std::string> faults;      // each a clause about "it" that also says what would be right
};
ModuleFindings examine_module(std::span<const engine::Import> imports, std::span<const engine::Export> exports);

// The module's ABI version; or one error (kInvalidArgument) with everything that is wrong with the module and what
// would be right: no known ABI version export, no memory, no allocator, an import that no proxy-wasm host has, or
// has for modules of another version, a function or callback of another signature.
Result<abi::Version> check_module(const engine::Module& module);

}  // namespace inlay::host
