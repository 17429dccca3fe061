// SPDX-License-Identifier: Apache-2.0
#pragma once

// The modules that cases name.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "tester/case.h"
#include "tester/world.h"

namespace inlay::tester {

// A file that the case names: beside it, else below the current folder. `what` it is called where there is none.
// Errors: kNotFound.
Result<std::string> find_file(const Case& c, const std::string& path, std::string_view what);

// Finds the modules of a case whose plugins name files (Dialect::kFilters). `c` outlives it.
FindModule modules_of(const Case& c);

// Each module is loaded once in a process, for all cases that use it. kAuto: what a cache has of its machine code, else
// the interpreter. Any thread. Errors: those of compiler::load_module().
Result<std::shared_ptr<engine::Module>> load_module(const std::vector<uint8_t>& bytes, engine::EngineKind engine);

}  // namespace inlay::tester
