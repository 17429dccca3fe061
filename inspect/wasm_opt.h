// SPDX-License-Identifier: Apache-2.0
#pragma once

// What binaryen's wasm-opt would make of a module, with the flags of our own build (cmake/WasmModule.cmake).

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "inspect/layout.h"

namespace inlay::inspect {

struct WasmOpt {
  enum class Outcome : uint8_t { kRan, kSkipped, kFailed };
  Outcome outcome = Outcome::kSkipped;
  std::string reason;              // why it was skipped or what failed; else empty
  std::vector<std::string> flags;  // that it was or would be run with; only features that the module uses are allowed
  size_t size = 0;                 // of what it made
};

// The flags for a module. --low-memory-unused is left out where the module has data below address 1024.
std::vector<std::string> wasm_opt_flags(const Layout& layout);

// Runs the first `program` on the PATH (or a path) in a temporary directory, for at most `limit`.
WasmOpt run_wasm_opt(std::span<const uint8_t> module, const Layout& layout, const std::string& program,
                     std::chrono::seconds limit);

}  // namespace inlay::inspect
