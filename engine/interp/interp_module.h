// SPDX-License-Identifier: Apache-2.0
#pragma once

// Modules run by wabt's interpreter.

#include <memory>
#include <string>

#include "engine/description.h"
#include "engine/engine.h"
#include "engine/interp/wabt_machine.h"

namespace inlay::engine::interp {

// `description` is the program's; `fallback_reason` is for Module::fallback_reason().
std::shared_ptr<Module> make_module(Description description, std::shared_ptr<const Program> program,
                                    std::string fallback_reason);

}  // namespace inlay::engine::interp
