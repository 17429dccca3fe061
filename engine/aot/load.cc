// SPDX-License-Identifier: Apache-2.0
#include "engine/aot/load.h"

#include <filesystem>

#include "engine/aot/artifact.h"
#include "engine/aot/open.h"
#include "engine/cache_directory.h"

namespace inlay::engine::aot {

Loader::Loader(std::span<const uint8_t> bytes, const LoadOptions& options)
    : bytes_(bytes), options_(options), key_(module_key(bytes)), compiler_(find_compiler(options)) {
  if (compiler_) quick_compiler_ = find_quick_compiler(options, *compiler_);
}

std::shared_ptr<AotModule> Loader::open(const std::string& path, std::string_view what) {
  auto opened = open_artifact(path, key_);
  if (!opened) {
    if (opened.error().code != ErrorCode::kNotFound) {
      passed_over_ += "; the ";
      passed_over_.append(what).append(" was passed over: ").append(opened.error().to_string());
    }
    return nullptr;
  }
  return std::make_shared<AotModule>(std::move(opened->description), std::move(opened->code),
                                     is_quick_artifact(path) ? Tier::kQuick : Tier::kOptimized);
}

std::shared_ptr<AotModule> Loader::from_artifact() {
  if (!options_.artifact.empty()) {
    if (auto module = open(options_.artifact, "artifact")) return module;
  }
  const auto directory = find_cache_directory(options_.cache_dir);
  return directory ? from_cache(*directory) : nullptr;
}

std::shared_ptr<AotModule> Loader::from_cache(const std::string& directory) {
  if (!compiler_) {
    const std::string any = find_any_artifact(directory, key_);
    return any.empty() ? nullptr : open(any, "cache's artifact");
  }
  if (auto module = open(optimized_path(directory), "cache's artifact")) return module;
  if (!tiered()) return nullptr;
  for (const Compiler& compiler : {*quick_compiler_, *compiler_}) {
    auto quick = open(quick_artifact_path(directory, key_, compiler.identity), "cache's artifact");
    if (quick == nullptr) continue;
    quick_compiler_ = compiler;
    begin_tiers(*quick, directory, std::nullopt);
    return quick;
  }
  return nullptr;
}

Result<std::shared_ptr<AotModule>> Loader::compile(const ParsedModule& parsed) {
  if (!parsed.not_for_aot.empty()) return Error{ErrorCode::kUnsupported, parsed.not_for_aot, {}};
  INLAY_TRY(const std::string directory, make_cache_directory(options_.cache_dir));
  if (!compiler_) {
    compiler_.error().message += passed_over_;
    return compiler_.error();
  }
  INLAY_TRY(Translation translation, translate(bytes_, parsed.description, key_));
  if (options_.on_compile) options_.on_compile();
  const auto optimized = [&]() -> Result<Opened> {
    const std::string path = optimized_path(directory);
    const CompileJob job{optimization_flag(options_), 1, options_.stop};
    INLAY_TRY([[maybe_unused]] auto compiled, aot::compile(*compiler_, translation, job, directory, key_, path));
    return open_artifact(path, key_);
  };
  INLAY_TRY(Opened opened, tiered() ? compile_quickly(translation, directory) : optimized());
  auto module = std::make_shared<AotModule>(std::move(opened.description), std::move(opened.code),
                                            tiered() ? Tier::kQuick : Tier::kOptimized);
  if (tiered()) begin_tiers(*module, directory, std::move(translation));
  return module;
}

Result<Opened> Loader::compile_quickly(const Translation& translation, const std::string& directory) {
  const auto attempt = [&]() -> Result<Opened> {
    CompileJob job = quick_job(*quick_compiler_, translation.c.source.size());
    job.stop = options_.stop;
    const std::string path = quick_path(directory);
    INLAY_TRY([[maybe_unused]] auto done, aot::compile(*quick_compiler_, translation, job, directory, key_, path));
    return open_artifact(path, key_);
  };
  auto opened = attempt();
  // A compiler that we chose for its speed may be there for something else, without what it takes to link.
  if (opened || options_.stop.stop_requested() || quick_compiler_->path == compiler_->path) return opened;
  quick_compiler_ = *compiler_;
  return attempt();
}

bool Loader::tiered() const {
  return options_.tiering && options_.kind == EngineKind::kAuto && options_.optimization > 0;
}

std::string Loader::quick_path(const std::string& directory) const {
  return quick_artifact_path(directory, key_, quick_compiler_->identity);
}

std::string Loader::optimized_path(const std::string& directory) const {
  return artifact_path(directory, key_, compiler_->identity, optimization_flag(options_));
}

void Loader::begin_tiers(AotModule& module, const std::string& directory,
                         std::optional<Translation> translation) const {
  if (options_.on_tier) {
    const auto took = Clock::now() - begun_;
    options_.on_tier({Tier::kQuick, std::chrono::duration_cast<std::chrono::milliseconds>(took), {}});
  }
  OptimizeJob job;
  if (!translation) job.bytes.assign(bytes_.begin(), bytes_.end());
  job.translation = std::move(translation);
  job.compiler = *compiler_;
  job.optimization = optimization_flag(options_);
  job.key = key_;
  job.directory = directory;
  job.path = optimized_path(directory);
  job.quick = quick_path(directory);
  job.on_tier = options_.on_tier;
  job.stop = options_.stop;
  module.begin_optimizing(std::move(job));
}

Result<> compile_to(std::span<const uint8_t> bytes, const ParsedModule& parsed, const LoadOptions& options,
                    const std::string& output) {
  if (!parsed.not_for_aot.empty()) return Error{ErrorCode::kUnsupported, parsed.not_for_aot, {}};
  INLAY_TRY(const Compiler compiler, find_compiler(options));
  std::string directory = std::filesystem::path(output).parent_path();
  if (directory.empty()) directory = ".";
  const std::string key = module_key(bytes);
  INLAY_TRY(Translation translation, translate(bytes, parsed.description, key));
  return compile(compiler, translation, {optimization_flag(options), 1, options.stop}, directory, key, output);
}

}  // namespace inlay::engine::aot
