// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "engine/engine.h"

namespace inlay::engine::aot {

// An instance that begins with the best native code that the module has, and takes better code over at the first
// outermost call after there is some. `module` must be a TieredModule that has code.
Result<std::unique_ptr<Instance>> instantiate_quick(std::shared_ptr<Module> module,
                                                    const std::vector<const HostFunction*>& imports, void* env,
                                                    const Limits& limits);

}  // namespace inlay::engine::aot
