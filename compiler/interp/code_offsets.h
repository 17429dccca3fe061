// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where a module's instructions are, for backtraces that are to have lines of source. The interpreter runs instructions
// of its own, which know their order and not where they come from. C++17, as wabt_machine.h is.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace inlay::compiler::interp {

// The nth instruction of one kind in a function.
struct NthInstruction {
  uint32_t function = 0;         // index in the module, imports first
  uint32_t opcode = UINT32_MAX;  // wabt::Opcode::Enum; InterpCallImport for calls of imports, which count apart
  uint32_t nth = 0;              // from 0
};

// CodeOffsets keeps the code of modules that have DWARF, and of no other, whose offsets nobody could read.
class CodeOffsets {
 public:
  CodeOffsets() = default;
  // Of a valid module.
  CodeOffsets(const uint8_t* module, size_t size);

  bool known() const { return !code_.empty(); }
  // Where they begin, from the module's first byte; 0 for what is not there. Walks through all functions once.
  std::vector<uint32_t> find(const std::vector<NthInstruction>& wanted) const;

 private:
  std::string code_;  // the module up to the end of its code
};

}  // namespace inlay::compiler::interp
