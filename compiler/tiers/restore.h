// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compiler/interp/wabt_machine.h"
#include "engine/aot/runtime.h"

namespace inlay::compiler {

// Brings `guest`, which was instantiated and has run nothing, to the state of an instance of the same module in the
// interpreter. Calls generated code that does not trap, on the thread that is in `context`. False where there is no
// memory for it; the guest is then of no use.
bool restore(const engine::aot::State& state, void* guest, engine::aot::AotContext& context,
             const interp::Snapshot& from);

}  // namespace inlay::compiler
