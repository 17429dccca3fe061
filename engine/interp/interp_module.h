// SPDX-License-Identifier: Apache-2.0
#pragma once

// Modules run by wabt's interpreter.

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"

namespace inlay::engine::interp {

// `bytes` have been validated before.
Result<std::shared_ptr<Module>> load(std::span<const uint8_t> bytes);

// `module` must be one of load()'s; `imports` are in its order of imports.
Result<std::unique_ptr<Instance>> instantiate(std::shared_ptr<Module> module,
                                              const std::vector<const HostFunction*>& imports, void* env,
                                              const Limits& limits);

}  // namespace inlay::engine::interp
