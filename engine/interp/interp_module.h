// SPDX-License-Identifier: Apache-2.0
#pragma once

// Modules run by wabt's interpreter.

#include <memory>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/interp/wabt_machine.h"

namespace inlay::engine::interp {

std::shared_ptr<Module> make_module(std::shared_ptr<const Program> program);

// `module` must be one of make_module()'s; `imports` are in its order of imports.
Result<std::unique_ptr<Instance>> instantiate(std::shared_ptr<Module> module,
                                              const std::vector<const HostFunction*>& imports, void* env,
                                              const Limits& limits);

}  // namespace inlay::engine::interp
