// SPDX-License-Identifier: Apache-2.0
#pragma once

// A walk through instructions that looks for one thing: which features they need. It knows how long each instruction is
// and validates nothing.

#include "inspect/features.h"
#include "inspect/reader.h"

namespace inlay::inspect {

// Reads the locals that a function body begins with.
void scan_locals(Reader& in, FeatureSet& used);
// Reads one instruction. An unknown one is an error of `in`.
void scan_instruction(Reader& in, FeatureSet& used);

// Reads a function body, locals and instructions, up to the end of `in`. An unknown instruction is an error of `in`.
void scan_body(Reader& in, FeatureSet& used);

// Constant is what scan_constant found the expression to be.
struct Constant {
  bool known = false;  // just one i32.const or i64.const
  uint64_t value = 0;
};

// Reads a constant expression (of a global, of a segment's offset) up to and with its end.
Constant scan_constant(Reader& in, FeatureSet& used);

// Reads a value type; adds the feature that it belongs to. The byte, for "v128" and the like.
uint8_t scan_value_type(Reader& in, FeatureSet& used);

// "i32", "funcref"; "reference" for those that only have a number.
std::string_view value_type_name(uint8_t type);

}  // namespace inlay::inspect
