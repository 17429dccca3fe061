// SPDX-License-Identifier: Apache-2.0
#pragma once

// Facts as text for people and as JSON for programs (docs/reference/inspect.md).

#include <optional>
#include <string>

#include "inspect/facts.h"
#include "inspect/wasm_opt.h"

namespace inlay::inspect {

struct Report {
  std::string file;   // what the module is called
  std::string image;  // digest of the image that it was in; empty: it was in none
  Facts facts;
  std::optional<WasmOpt> wasm_opt;  // none: it was not asked for
  size_t functions = 10;            // how many of the largest ones to show
};

// No line is longer than 100 columns, but for one that a single name fills.
std::string to_text(const Report& report);

// One object, with a newline at the end. Valid UTF-8, whatever the module holds.
std::string to_json(const Report& report);

}  // namespace inlay::inspect
