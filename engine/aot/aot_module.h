// SPDX-License-Identifier: Apache-2.0
#pragma once

// Modules as machine code: found in a cache or compiled now, loaded with dlopen().

#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "engine/aot/runtime.h"
#include "engine/engine.h"
#include "engine/parse.h"

namespace inlay::engine::aot {

class AotModule final : public Module {
 public:
  // Takes the library over.
  AotModule(void* library, const Descriptor& descriptor) : library_(library), descriptor_(descriptor) {}
  ~AotModule() override;

  EngineKind kind() const override { return EngineKind::kAot; }
  const Descriptor& descriptor() const { return descriptor_; }

 private:
  void* library_;
  const Descriptor& descriptor_;
};

// Loads `bytes`, which `parsed` describes, from an artifact or by compiling.
// kUnavailable: neither is possible; kUnsupported: the C translation cannot take this module; kFailedPrecondition, kIo:
// the cache directory is not usable.
Result<std::shared_ptr<AotModule>> load(std::span<const uint8_t> bytes, const Module& described,
                                        const ParsedModule& parsed, const LoadOptions& options);

// Compiles into `output`.
Result<> compile_to(std::span<const uint8_t> bytes, const Module& described, const ParsedModule& parsed,
                    const LoadOptions& options, const std::string& output);

// `module` must be an AotModule.
Result<std::unique_ptr<Instance>> instantiate(std::shared_ptr<Module> module, std::vector<NativeFunction> imports,
                                              void* env, const Limits& limits);

}  // namespace inlay::engine::aot
