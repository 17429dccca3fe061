// SPDX-License-Identifier: Apache-2.0
#pragma once

// Compiling a module's code while it runs: quick code, then optimised code.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "compiler/compiler.h"
#include "compiler/wasm2c/compile.h"
#include "engine/aot/artifact.h"
#include "engine/engine.h"

namespace inlay::compiler {

struct TierJob {
  std::chrono::steady_clock::time_point begun;  // load_module()
  std::vector<uint8_t> bytes;                   // the module
  std::optional<Translation> translation;       // of it, once there is one
  std::vector<Compiler> quick_compilers;        // to be tried in this order; empty: there is quick code
  Compiler compiler;                            // of the optimised code
  std::string optimization;                     // "-O2"
  engine::aot::ModuleId id;
  std::string directory;
  std::string path;   // where the optimised artifact goes
  std::string quick;  // the quick one, needed no longer then
  std::function<void(const TierEvent&)> on_tier;
  std::stop_token stop;  // ends it, as the module's end does
};

}  // namespace inlay::compiler
