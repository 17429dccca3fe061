// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "engine/engine.h"

namespace inlay::compiler {

// An instance that begins with the best native code that the module has, and takes better code over at the first
// outermost call after there is some. `module` must be a TieredModule that has code.
Result<std::unique_ptr<engine::Instance>> instantiate_quick(std::shared_ptr<engine::Module> module,
                                                            const std::vector<const engine::HostFunction*>& imports,
                                                            void* env, const engine::Limits& limits);

}  // namespace inlay::compiler
