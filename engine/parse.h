// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reading and validating a module with wabt. Includes no header of wabt's.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"

namespace inlay::engine {

// ParsedModule is a valid module: what it imports and exports, and wabt's own form of it for translation.
struct ParsedModule {
  ParsedModule();
  ParsedModule(ParsedModule&&) noexcept;
  ~ParsedModule();

  std::vector<Import> imports;
  std::vector<Export> exports;
  // Why the C writer cannot take it; empty if it can.
  std::string not_for_aot;

  struct Ir;
  std::unique_ptr<Ir> ir;
};

// kInvalidArgument with wabt's text and the offset in the module.
Result<ParsedModule> parse(std::span<const uint8_t> bytes);

// GeneratedC is what wabt's C writer makes of a module.
struct GeneratedC {
  std::string source;
  std::string header;
};

// Renames imports and exports (engine/aot/shim.h) and writes C. Uses `parsed` up.
Result<GeneratedC> write_c(ParsedModule& parsed);

// "1.0.32"
std::string_view wabt_version();

}  // namespace inlay::engine
