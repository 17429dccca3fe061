// SPDX-License-Identifier: Apache-2.0
#include "compiler/loader.h"

#include <filesystem>

#include "compiler/cache.h"
#include "compiler/cache_directory.h"
#include "compiler/wasm2c/shim.h"
#include "engine/aot/aot_module.h"
#include "engine/aot/open.h"

namespace inlay::compiler {

using engine::Module;
using engine::Tier;

Loader::Loader(std::span<const uint8_t> bytes, const LoadOptions& options)
    : bytes_(bytes), options_(options), id_(engine::aot::module_id(bytes)), compiler_(find_compiler(options)) {
  if (compiler_) quick_compiler_ = find_quick_compiler(options, *compiler_);
}

std::optional<engine::aot::Opened> Loader::open(const std::string& path, std::string_view what) {
  auto opened = engine::aot::open_artifact(path, id_.sha256);
  if (opened) return *std::move(opened);
  if (opened.error().code != ErrorCode::kNotFound) {
    passed_over_ += "; the ";
    passed_over_.append(what).append(" was passed over: ").append(opened.error().to_string());
  }
  return std::nullopt;
}

std::shared_ptr<Module> Loader::open_module(const std::string& path, std::string_view what) {
  auto opened = open(path, what);
  if (!opened) return nullptr;
  return std::make_shared<engine::aot::AotModule>(std::move(opened->description), std::move(opened->code),
                                                  is_quick_artifact(path) ? Tier::kQuick : Tier::kOptimized);
}

std::shared_ptr<Module> Loader::from_artifact() {
  if (!options_.artifact.empty()) {
    if (auto module = open_module(options_.artifact, "artifact")) return module;
  }
  const auto directory = find_cache_directory(options_.cache_dir);
  return directory ? from_cache(*directory) : nullptr;
}

std::shared_ptr<Module> Loader::from_cache(const std::string& directory) {
  if (!compiler_) {
    const std::string any = find_any_artifact(directory, id_.key);
    return any.empty() ? nullptr : open_module(any, "cache's artifact");
  }
  if (auto module = open_module(optimized_path(directory), "cache's artifact")) return module;
  if (!tiered()) return nullptr;
  for (const Compiler& compiler : {*quick_compiler_, *compiler_}) {
    auto quick = open(quick_artifact_path(directory, id_.key, compiler.identity), "cache's artifact");
    if (!quick) continue;
    if (options_.on_tier) {
      const auto took = Clock::now() - begun_;
      options_.on_tier({Tier::kQuick, std::chrono::duration_cast<std::chrono::milliseconds>(took), {}});
    }
    quick_compiler_ = compiler;
    auto module = std::make_shared<TieredModule>(std::move(quick->description), std::move(quick->code));
    begin_tiers(*module, directory, {});
    return module;
  }
  return nullptr;
}

Result<std::shared_ptr<Module>> Loader::compile(const ParsedModule& parsed) {
  if (!parsed.not_for_aot.empty()) return Error{ErrorCode::kUnsupported, parsed.not_for_aot, {}};
  INLAY_RETURN_IF_ERROR(check_imports(parsed.description));
  INLAY_TRY(const std::string directory, make_cache_directory(options_.cache_dir));
  if (!compiler_) {
    compiler_.error().message += passed_over_;
    return compiler_.error();
  }
  if (tiered()) {
    auto module = std::make_shared<TieredModule>(parsed.description, parsed.program);
    std::vector<Compiler> quick = {*quick_compiler_};
    if (quick_compiler_->path != compiler_->path) quick.push_back(*compiler_);
    begin_tiers(*module, directory, std::move(quick));
    return std::shared_ptr<Module>(std::move(module));
  }
  INLAY_TRY(Translation translation, translate(bytes_, parsed.description, id_.key, options_.stop));
  if (options_.on_compile) options_.on_compile();
  const std::string path = optimized_path(directory);
  const CompileJob job{optimization_flag(options_), 1, options_.stop};
  INLAY_RETURN_IF_ERROR(compiler::compile(*compiler_, translation, job, directory, id_, path));
  INLAY_TRY(engine::aot::Opened opened, engine::aot::open_artifact(path, id_.sha256));
  return std::shared_ptr<Module>(std::make_shared<engine::aot::AotModule>(std::move(opened.description),
                                                                          std::move(opened.code), Tier::kOptimized));
}

bool Loader::tiered() const {
  return options_.tiering && options_.kind == engine::EngineKind::kAuto && options_.optimization > 0;
}

std::string Loader::optimized_path(const std::string& directory) const {
  return artifact_path(directory, id_.key, compiler_->identity, optimization_flag(options_));
}

void Loader::begin_tiers(TieredModule& module, const std::string& directory, std::vector<Compiler> quick) const {
  TierJob job;
  job.begun = begun_;
  job.bytes.assign(bytes_.begin(), bytes_.end());
  job.quick_compilers = std::move(quick);
  job.compiler = *compiler_;
  job.optimization = optimization_flag(options_);
  job.id = id_;
  job.directory = directory;
  job.path = optimized_path(directory);
  job.quick = quick_artifact_path(directory, id_.key, quick_compiler_->identity);
  job.on_tier = options_.on_tier;
  job.stop = options_.stop;
  module.begin_compiling(std::move(job));
}

Result<> compile_to(std::span<const uint8_t> bytes, const ParsedModule& parsed, const LoadOptions& options,
                    const std::string& output) {
  if (!parsed.not_for_aot.empty()) return Error{ErrorCode::kUnsupported, parsed.not_for_aot, {}};
  INLAY_TRY(const Compiler compiler, find_compiler(options));
  std::string directory = std::filesystem::path(output).parent_path();
  if (directory.empty()) directory = ".";
  const engine::aot::ModuleId id = engine::aot::module_id(bytes);
  INLAY_TRY(Translation translation, translate(bytes, parsed.description, id.key, options.stop));
  return compile(compiler, translation, {optimization_flag(options), 1, options.stop}, directory, id, output);
}

}  // namespace inlay::compiler
