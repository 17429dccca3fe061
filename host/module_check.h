// SPDX-License-Identifier: Apache-2.0
#pragma once

// Is this module a proxy-wasm module that this host can run?

#include "abi/types.h"
#include "base/result.h"
#include "engine/engine.h"

namespace inlay::host {

// The module's ABI version; or one error (kInvalidArgument) with everything that is wrong with the module and what
// would be right: no known ABI version export, no memory, no allocator, an import that no proxy-wasm host has, a
// function or callback of another signature.
Result<abi::Version> check_module(const engine::Module& module);

}  // namespace inlay::host
