// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "engine/engine.h"
#include "engine/interp/wabt_machine.h"

namespace inlay::engine::aot {

// An instance that begins in the interpreter, and goes over to the module's native code, with all its state, at the
// first outermost call after there is some. `module` must be a TieredModule.
Result<std::unique_ptr<Instance>> instantiate_tiered(std::shared_ptr<Module> module, const interp::Program& program,
                                                     const std::vector<const HostFunction*>& imports, void* env,
                                                     const Limits& limits);

}  // namespace inlay::engine::aot
