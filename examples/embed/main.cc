// SPDX-License-Identifier: Apache-2.0

// Runs a proxy-wasm module on one request, and prints what it made of it: with request.cc all that a program needs that
// embeds the host.
//
//     embed MODULE.wasm [CONFIGURATION]
//
// Its guest has no services to call and no timers: an embedder with an event loop gives it both (host/embedder.h).

#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "compiler/compiler.h"
#include "request.h"

using namespace inlay;

int main(int argc, char** argv) {
  std::ifstream file(argc > 1 ? argv[1] : "", std::ios::binary);
  const std::vector<uint8_t> bytes(std::istreambuf_iterator<char>(file), {});
  const auto module = compiler::load_module(bytes, {.kind = engine::EngineKind::kInterp});
  if (!module) return std::cerr << module.error().message << '\n', 1;
  return run_on_one_request(*module, argc > 2 ? argv[2] : "");
}
