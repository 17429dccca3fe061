// SPDX-License-Identifier: Apache-2.0

// The same for a module that `inlay compile` has compiled: this program holds neither a compiler nor an interpreter,
// and needs no wabt.
//
//     embed_compiled MODULE.wasm.aot [CONFIGURATION]

#include <iostream>

#include "engine/engine.h"
#include "request.h"

using namespace inlay;

int main(int argc, char** argv) {
  const auto module = engine::Module::open(argc > 1 ? argv[1] : "");
  if (!module) return std::cerr << module.error().to_string() << '\n', 1;
  return run_on_one_request(*module, argc > 2 ? argv[2] : "");
}
