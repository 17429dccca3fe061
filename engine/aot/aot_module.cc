// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/aot_module.h"

#include <filesystem>

#include "engine/aot/artifact.h"
#include "engine/aot/compile.h"
#include "engine/aot/open.h"

namespace inlay::engine::aot {
namespace {

Result<std::shared_ptr<AotModule>> open_whole(const std::string& path, const Module& described,
                                              const std::string& key) {
  INLAY_TRY(auto code, open_artifact(path, described, key));
  return std::make_shared<AotModule>(described, std::move(code),
                                     is_quick_artifact(path) ? Tier::kQuick : Tier::kOptimized);
}

// Loads code that was compiled in haste, or compiles it now, and has better code made.
Result<std::shared_ptr<AotModule>> load_tiered(std::span<const uint8_t> bytes, const Module& described,
                                               const LoadOptions& options, OptimizeJob job) {
  const auto begun = std::chrono::steady_clock::now();
  auto code = open_artifact(job.quick, described, job.key);
  if (!code) {
    INLAY_TRY(job.translation, translate(bytes, described, job.key));
    CompileJob quick = quick_job(job.translation->c.source.size());
    quick.stop = options.stop;
    INLAY_TRY([[maybe_unused]] auto compiled,
              compile(job.compiler, *job.translation, quick, job.directory, job.key, job.quick));
    INLAY_TRY(code, open_artifact(job.quick, described, job.key));
  } else {
    job.bytes.assign(bytes.begin(), bytes.end());
  }
  auto module = std::make_shared<AotModule>(described, *std::move(code), Tier::kQuick);
  if (options.on_tier) {
    const auto took = std::chrono::steady_clock::now() - begun;
    options.on_tier({Tier::kQuick, std::chrono::duration_cast<std::chrono::milliseconds>(took), {}});
  }
  module->begin_optimizing(std::move(job));
  return module;
}

}  // namespace

AotModule::AotModule(const Module& described, std::unique_ptr<Code> code, Tier tier)
    : first_(std::move(code)), code_(first_.get()), tier_(tier) {
  imports_ = described.imports();
  exports_ = described.exports();
}

AotModule::~AotModule() {
  stop_.request_stop();
  if (optimizer_.joinable()) optimizer_.join();
}

Result<std::shared_ptr<AotModule>> load(std::span<const uint8_t> bytes, const Module& described,
                                        const ParsedModule& parsed, const LoadOptions& options) {
  const std::string key = module_key(bytes);
  std::string passed_over;
  if (!options.artifact.empty()) {
    auto opened = open_whole(options.artifact, described, key);
    if (opened) return opened;
    if (opened.error().code != ErrorCode::kNotFound)
      passed_over = "; the artifact was passed over: " + opened.error().to_string();
  }
  if (!parsed.not_for_aot.empty()) return Error{ErrorCode::kUnsupported, parsed.not_for_aot, {}};
  INLAY_TRY(const std::string directory, open_cache_directory(options.cache_dir));
  auto compiler = find_compiler(options);
  if (!compiler) {
    const std::string any = find_any_artifact(directory, key);
    if (!any.empty()) {
      auto opened = open_whole(any, described, key);
      if (opened) return opened;
      passed_over += "; the cache's artifact was passed over: " + opened.error().to_string();
    }
    compiler.error().message += passed_over;
    return compiler.error();
  }
  const std::string optimization = optimization_flag(options);
  const std::string path = artifact_path(directory, key, compiler->identity, optimization);
  auto cached = open_whole(path, described, key);
  if (cached) return cached;
  if (options.tiering && options.kind == EngineKind::kAuto && options.optimization > 0) {
    const std::string quick = quick_artifact_path(directory, key, compiler->identity);
    return load_tiered(
        bytes, described, options,
        {{}, {}, *std::move(compiler), optimization, key, directory, path, quick, options.on_tier, options.stop});
  }
  INLAY_TRY(Translation translation, translate(bytes, described, key));
  INLAY_TRY([[maybe_unused]] auto compiled,
            compile(*compiler, std::move(translation), {optimization, 1, options.stop}, directory, key, path));
  return open_whole(path, described, key);
}

Result<> compile_to(std::span<const uint8_t> bytes, const Module& described, const ParsedModule& parsed,
                    const LoadOptions& options, const std::string& output) {
  if (!parsed.not_for_aot.empty()) return Error{ErrorCode::kUnsupported, parsed.not_for_aot, {}};
  INLAY_TRY(const Compiler compiler, find_compiler(options));
  std::string directory = std::filesystem::path(output).parent_path();
  if (directory.empty()) directory = ".";
  const std::string key = module_key(bytes);
  INLAY_TRY(Translation translation, translate(bytes, described, key));
  return compile(compiler, std::move(translation), {optimization_flag(options), 1, options.stop}, directory, key,
                 output);
}

}  // namespace inlay::engine::aot
