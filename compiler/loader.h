// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/compiler.h"
#include "compiler/parse.h"
#include "compiler/tiers/tiered_module.h"
#include "compiler/wasm2c/compile.h"
#include "engine/aot/artifact.h"
#include "engine/aot/open.h"
#include "engine/engine.h"

namespace inlay::compiler {

// Loader gets one module's machine code, from an artifact or by compiling it. What it is made with must outlive it.
//
//     Loader loader(bytes, options);
//     if (auto module = loader.from_artifact()) return module;
//     INLAY_TRY(ParsedModule parsed, parse(bytes));
//     return loader.compile(parsed);
class Loader {
 public:
  Loader(std::span<const uint8_t> bytes, const LoadOptions& options);

  // Parses nothing of the module: an artifact is found by the hash of the module's bytes, is only ever made of a valid
  // module, and holds its description. Null if there is none that can be used; makes no file and no directory.
  std::shared_ptr<engine::Module> from_artifact();

  // To be called when from_artifact() gave nothing. Where tiers are wanted, the module is interpreted at first and the
  // compiler's failures come as a TierEvent. kUnavailable: there is no compiler, or it failed; kUnsupported: the
  // C translation cannot take this module; kFailedPrecondition, kIo: the cache directory is not usable. The message
  // also says why an artifact was passed over.
  Result<std::shared_ptr<engine::Module>> compile(const ParsedModule& parsed);

 private:
  using Clock = std::chrono::steady_clock;

  // Nothing, with the reason in passed_over_, if `path` is not there or not to be used; `what` is what it is called
  // there.
  std::optional<engine::aot::Opened> open(const std::string& path, std::string_view what);
  // The same as a module.
  std::shared_ptr<engine::Module> open_module(const std::string& path, std::string_view what);
  std::shared_ptr<engine::Module> from_cache(const std::string& directory);
  bool tiered() const;
  std::string optimized_path(const std::string& directory) const;
  // Has the module's code made in the background, by the compilers of `quick` first.
  void begin_tiers(TieredModule& module, const std::string& directory, std::vector<Compiler> quick) const;

  std::span<const uint8_t> bytes_;
  const LoadOptions& options_;
  Clock::time_point begun_ = Clock::now();
  engine::aot::ModuleId id_;
  Result<Compiler> compiler_;
  std::optional<Compiler> quick_compiler_;  // if there is compiler_; of the quick code in use, once there is some
  std::string passed_over_;
};

// Compiles into `output`.
Result<> compile_to(std::span<const uint8_t> bytes, const ParsedModule& parsed, const LoadOptions& options,
                    const std::string& output);

}  // namespace inlay::compiler
