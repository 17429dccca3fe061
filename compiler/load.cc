// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"
#include "compiler/compiler.h"
#include "compiler/interp/interp_module.h"
#include "compiler/loader.h"
#include "compiler/parse.h"
#include "engine/within_memory.h"

namespace inlay::compiler {
namespace {

std::shared_ptr<engine::Module> interpreted(const ParsedModule& parsed, std::string fallback_reason) {
  return interp::make_module(parsed.description, parsed.program, std::move(fallback_reason));
}

// Between steps, each of which may take a second for a large module.
Result<> go_on(const LoadOptions& options) {
  if (!options.stop.stop_requested()) return {};
  return Error{ErrorCode::kUnavailable, "loading was stopped", {}};
}

Result<std::shared_ptr<engine::Module>> load_here(std::span<const uint8_t> bytes, const LoadOptions& options) {
  if (options.kind == engine::EngineKind::kInterp) {
    INLAY_TRY(const ParsedModule parsed, parse(bytes));
    return interpreted(parsed, {});
  }
  INLAY_RETURN_IF_ERROR(go_on(options));
  Loader loader(bytes, options);
  if (auto module = loader.from_artifact()) return module;
  INLAY_TRY(const ParsedModule parsed, parse(bytes));
  INLAY_RETURN_IF_ERROR(go_on(options));
  auto compiled = loader.compile(parsed);
  if (compiled || options.stop.stop_requested() || options.kind == engine::EngineKind::kAot) return compiled;
  return interpreted(parsed, compiled.error().to_string());
}

}  // namespace

Result<std::shared_ptr<engine::Module>> load_module(std::span<const uint8_t> bytes, const LoadOptions& options) {
  return engine::within_memory("load the module", [&] { return load_here(bytes, options); });
}

Result<> compile_module(std::span<const uint8_t> bytes, const LoadOptions& options, const std::string& output) {
  return engine::within_memory("compile the module", [&]() -> Result<> {
    INLAY_TRY(const std::string target, replaceable(output));
    INLAY_TRY(const ParsedModule parsed, parse(bytes));
    return compile_to(bytes, parsed, options, target);
  });
}

}  // namespace inlay::compiler
