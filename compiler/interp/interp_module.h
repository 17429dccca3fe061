// SPDX-License-Identifier: Apache-2.0
#pragma once

// Modules run by wabt's interpreter.

#include <memory>
#include <string>

#include "compiler/interp/wabt_machine.h"
#include "compiler/recorder.h"
#include "engine/description.h"
#include "engine/engine.h"

namespace inlay::compiler::interp {

// `description` is the program's; `fallback_reason` is for Module::fallback_reason(). `recorder`, which may be null, is
// told what the instances do.
std::shared_ptr<engine::Module> make_module(engine::Description description, std::shared_ptr<const Program> program,
                                            std::string fallback_reason, std::shared_ptr<Recorder> recorder = nullptr);

}  // namespace inlay::compiler::interp
