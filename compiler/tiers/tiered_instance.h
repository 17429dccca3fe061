// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "compiler/interp/wabt_machine.h"
#include "engine/engine.h"

namespace inlay::compiler {

// An instance that begins in the interpreter, and goes over to the module's native code, with all its state, at the
// first outermost call after there is some. `module` must be a TieredModule.
Result<std::unique_ptr<engine::Instance>> instantiate_tiered(std::shared_ptr<engine::Module> module,
                                                             std::shared_ptr<const interp::Program> program,
                                                             const std::vector<const engine::HostFunction*>& imports,
                                                             void* env, const engine::Limits& limits);

}  // namespace inlay::compiler
