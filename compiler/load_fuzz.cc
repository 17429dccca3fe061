// SPDX-License-Identifier: Apache-2.0
// Any bytes: parsing, and for a valid module describing it, writing it as C and splitting that, and instantiating and
// calling it in the interpreter. What an artifact would say of the module must be read as it was written.
#include <chrono>
#include <cstdlib>

#include "compiler/compiler.h"
#include "compiler/parse.h"
#include "compiler/tiers/tier_job.h"
#include "compiler/wasm2c/split.h"
#include "engine/description.h"
#include "engine/engine.h"

namespace {

using namespace inlay::compiler;  // NOLINT: one file, one purpose
using namespace inlay::engine;    // NOLINT

void check_description(const Description& description) {
  const std::string bytes = write_description(description);
  const auto again = read_description(bytes);
  if (!again || write_description(*again) != bytes) std::abort();
}

void check_translation(std::span<const uint8_t> bytes, const Description& description) {
  const auto translation = translate(bytes, description, "key");
  if (!translation) return;
  const auto parts = split_c(translation->c.source, 3);
  size_t size = 0;
  for (const std::string& body : parts.bodies) size += body.size();
  if (!parts.bodies.empty() && size + parts.tail.size() == 0) std::abort();
}

void call_exports(Instance& instance) {
  for (const Export& e : instance.module().exports()) {
    if (e.kind != ExternKind::kFunction || !e.type.params.empty() || !e.type.results.empty()) continue;
    const auto function = instance.function<void()>(e.name);
    if (!function || !*function) std::abort();
    if (!instance.call(*function)) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> bytes(data, size);
  (void)read_description({reinterpret_cast<const char*>(data), size});
  auto parsed = parse(bytes);
  if (!parsed) return 0;
  check_description(parsed->description);
  if (parsed->not_for_aot.empty()) check_translation(bytes, parsed->description);
  LoadOptions options;
  options.kind = EngineKind::kInterp;
  auto module = load_module(bytes, options);
  if (!module) std::abort();
  Limits limits;
  limits.max_memory_bytes = 1 << 20;
  limits.call_budget = std::chrono::milliseconds(20);
  limits.max_table_elements = 1000;
  auto instance = Instance::create(*module, {}, nullptr, limits);
  if (instance) call_exports(**instance);
  return 0;
}
