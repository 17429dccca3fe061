// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reading and validating a module with wabt. Includes no header of wabt's.

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "compiler/exposed_state.h"
#include "engine/description.h"

namespace inlay::compiler {

namespace interp {
class Program;
}

struct ParsedModule {
  engine::Description description;
  std::shared_ptr<const interp::Program> program;  // for the interpreter
  // Why the C writer cannot take it; empty if it can.
  std::string not_for_aot;
};

// Validates. kInvalidArgument with wabt's text and the offset in the module.
Result<ParsedModule> parse(std::span<const uint8_t> bytes);

// GeneratedC is what wabt's C writer makes of a module.
struct GeneratedC {
  std::string source;
  std::string header;
  ExposedState state;  // what of it the source exports
};

// Renames imports and exports (compiler/wasm2c/shim.h), exports the state (compiler/exposed_state.h) and writes C.
// `bytes` must have passed parse(), with not_for_aot empty. kUnavailable: `stop` came first.
Result<GeneratedC> write_c(std::span<const uint8_t> bytes, const std::stop_token& stop);

}  // namespace inlay::compiler
