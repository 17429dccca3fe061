// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace inlay::compiler {

// large_module is the text of a module of `functions` functions, of some 330 bytes each when assembled, with loops,
// memory, globals, direct and indirect calls. Its export run: (i32, i32) -> i32 reaches many of them, and memory is its
// memory.
inline std::string large_module(int functions) {
  std::string text = "(module (type $t (func (param i32 i32) (result i32)))\n(memory (export \"memory\") 1)\n(table " +
                     std::to_string(functions) + " funcref) (elem (i32.const 0)";
  for (int i = 0; i < functions; ++i) text += " $f" + std::to_string(i);
  text += ")\n(global $g (mut i32) (i32.const 0))\n";
  uint32_t random = 1;
  const auto number = [&random](uint32_t limit) {
    random = random * 1664525 + 1013904223;
    return std::to_string((random >> 8) % limit);
  };
  for (int i = 0; i < functions; ++i) {
    text += "(func $f" + std::to_string(i) + " (type $t) (local i32 i32 i64)\n";
    for (int k = 0; k < 4; ++k) {
      text += "(local.set 2 (i32.add (local.get 0) (i32.const " + number(1000) + ")))";
      text += "(block (loop (br_if 1 (i32.eqz (local.get 2)))";
      text += "(local.set 3 (i32.load offset=" + number(4096) + " (i32.and (local.get 2) (i32.const 1023))))";
      text += "(local.set 2 (i32.shr_u (local.get 2) (i32.const 3)))";
      text += "(i32.store offset=" + number(512) + " (i32.const 8) (i32.xor (local.get 3) (local.get 1))) (br 0)))";
      text += "(if (i32.lt_s (local.get 3) (i32.const " + number(1000) + ")) (then (local.set 4 (i64.mul (i64.const " +
              number(1000) + ") (i64.extend_i32_u (local.get 3))))) (else (global.set $g (local.get 3))))\n";
    }
    const std::string callee = std::to_string(i / 2);
    if (i % 3 == 0 && i > 0) {
      text += "(local.set 1 (call $f" + callee + " (local.get 3) (i32.const 1)))";
    } else if (i > 0) {
      text += "(local.set 1 (call_indirect (type $t) (local.get 0) (local.get 3) (i32.const " + callee + ")))";
    }
    text += "(i32.add (i32.add (local.get 1) (global.get $g)) (i32.wrap_i64 (local.get 4))))\n";
  }
  text +=
      "(func (export \"run\") (type $t) (call_indirect (type $t) (local.get 0) (local.get 1) (i32.rem_u "
      "(local.get 1) (i32.const " +
      std::to_string(functions) + ")))))";
  return text;
}

}  // namespace inlay::compiler
