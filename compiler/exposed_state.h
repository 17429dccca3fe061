// SPDX-License-Identifier: Apache-2.0
#pragma once

// What of a module's state the C translation makes reachable from outside, so that an instance can begin natively where
// the interpreter has brought it: the mutable globals, the tables, the memory, the passive segments, the start
// function, and the functions that a reference may point to. wabt's C writer has names for what is exported, and no
// others that one could rely on; so all of it is exported, by names that no module's author sees.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace wabt {
struct Module;
}

namespace inlay::compiler {

struct ExposedState {
  size_t globals = 0;              // the mutable ones, in order: exports state_name("g", 0), ...
  size_t tables = 0;               // the module's own, of either type: state_name("t", 0), ...
  size_t segments = 0;             // passive data, then passive elements: functions state_name("d", 0), ... drop them
  bool memory = false;             // state_name("m", 0)
  bool start = false;              // the function state_name("s", 0), which the instantiation does not call
  std::vector<uint32_t> referred;  // indices of the functions that a reference may point to, ascending
  // If there is any: the table state_name("x", 0), of no elements, and the function state_name("r", 0), which puts
  // references to `referred` into it, from its first element on; it must be grown before.
};

std::string state_name(const char* kind, size_t index);

// Adds those exports, and what is needed for them, to a valid module that is for the C writer and whose own exports
// have names of ours already (export_name()). Takes the start function out of its instantiation: who makes an
// instance calls it, or not.
ExposedState expose_state(wabt::Module& module);

}  // namespace inlay::compiler
