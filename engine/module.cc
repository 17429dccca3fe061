// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/files.h"
#include "engine/aot/aot_module.h"
#include "engine/aot/load.h"
#include "engine/aot/open.h"
#include "engine/engine.h"
#include "engine/interp/interp_module.h"
#include "engine/parse.h"
#include "engine/within_memory.h"

namespace inlay::engine {

namespace {

std::string list(const std::vector<ValueType>& types) {
  static constexpr std::string_view kNames[] = {"i32", "i64", "f32", "f64", "v128", "funcref", "externref"};
  std::string text;
  for (ValueType type : types) {
    if (!text.empty()) text += ", ";
    text += kNames[static_cast<size_t>(type)];
  }
  return text;
}

std::shared_ptr<Module> interpreted(const ParsedModule& parsed, std::string fallback_reason) {
  return interp::make_module(parsed.description, parsed.program, std::move(fallback_reason));
}

// Between steps, each of which may take a second for a large module.
Result<> go_on(const LoadOptions& options) {
  if (!options.stop.stop_requested()) return {};
  return Error{ErrorCode::kUnavailable, "loading was stopped", {}};
}

Result<std::shared_ptr<Module>> load_module(std::span<const uint8_t> bytes, const LoadOptions& options) {
  if (options.kind == EngineKind::kInterp) {
    INLAY_TRY(const ParsedModule parsed, parse(bytes));
    return interpreted(parsed, {});
  }
  INLAY_RETURN_IF_ERROR(go_on(options));
  aot::Loader loader(bytes, options);
  if (auto module = loader.from_artifact()) return module;
  INLAY_TRY(const ParsedModule parsed, parse(bytes));
  INLAY_RETURN_IF_ERROR(go_on(options));
  auto compiled = loader.compile(parsed);
  if (compiled || options.stop.stop_requested() || options.kind == EngineKind::kAot) return compiled;
  return interpreted(parsed, compiled.error().to_string());
}

}  // namespace

std::string FunctionType::to_string() const {
  std::string text = "(" + list(params) + ") -> ";
  if (results.size() == 1) return text + list(results);
  return text + "(" + list(results) + ")";
}

Module::~Module() = default;

const Export* Module::find_export(std::string_view name) const {
  const auto found = std::find_if(exports_.begin(), exports_.end(), [&](const Export& e) { return e.name == name; });
  return found == exports_.end() ? nullptr : &*found;
}

Result<std::shared_ptr<Module>> Module::open(const std::string& path, std::string_view sha256) {
  return within_memory("open the module", [&]() -> Result<std::shared_ptr<Module>> {
    INLAY_TRY(aot::Opened opened, aot::open_artifact(path, sha256));
    return std::shared_ptr<Module>(
        std::make_shared<aot::AotModule>(std::move(opened.description), std::move(opened.code), Tier::kOptimized));
  });
}

Result<std::shared_ptr<Module>> Module::load(std::span<const uint8_t> bytes, const LoadOptions& options) {
  return within_memory("load the module", [&] { return load_module(bytes, options); });
}

Result<> compile_module(std::span<const uint8_t> bytes, const LoadOptions& options, const std::string& output) {
  return within_memory("compile the module", [&]() -> Result<> {
    INLAY_TRY(const std::string target, replaceable(output));
    INLAY_TRY(const ParsedModule parsed, parse(bytes));
    return aot::compile_to(bytes, parsed, options, target);
  });
}

}  // namespace inlay::engine
