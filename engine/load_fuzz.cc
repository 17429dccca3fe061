// SPDX-License-Identifier: Apache-2.0
// Any bytes: parsing, and for a valid module describing it, writing it as C, and instantiating it in the interpreter.
#include <chrono>

#include "engine/engine.h"
#include "engine/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace inlay::engine;
  auto parsed = parse({data, size});
  if (!parsed) return 0;
  if (parsed->not_for_aot.empty()) (void)write_c({data, size});
  LoadOptions options;
  options.kind = EngineKind::kInterp;
  auto module = Module::load({data, size}, options);
  if (!module) return 0;
  Limits limits;
  limits.max_memory_bytes = 1 << 20;
  limits.call_budget = std::chrono::milliseconds(50);
  limits.max_table_elements = 1000;
  (void)Instance::create(*module, {}, nullptr, limits);
  return 0;
}
