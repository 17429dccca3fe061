// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a module's bytes to one that runs: validation, translation to C and compilation, the cache of what was compiled,
// and the interpreter for as long as there is no native code, or for ever. Of the two implementations of
// engine::Module that are made here one is interp/ (wabt's interpreter, no compiler needed); tiers/ begins with that
// and goes over to native code, which wasm2c/ makes (wabt's wasm2c and a C compiler). A program that only runs what
// compile_module() has made needs none of this: engine::Module::open(). docs/reference/engine.md has what is taken, and
// how code is compiled twice.
//
//     // A module that runs at once, natively after a while; an error as text.
//     std::shared_ptr<engine::Module> ready(std::span<const uint8_t> bytes, std::string* error) {
//       const auto module = load_module(bytes, {.kind = engine::EngineKind::kAuto});
//       if (!module) return *error = module.error().to_string(), nullptr;
//       return *module;
//     }

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/engine.h"

namespace inlay::compiler {

// How much longer than Limits::call_budget a call may take while a module is interpreted and its native code is still
// to come: a budget is what native code may take, and the interpreter is slower than the slowest of that by less than
// this. Once the code is there, or it is known that none will come, a call that runs has ten budgets more; a call that
// begins when none will come has the budget itself, as in a module that is interpreted from the beginning.
inline constexpr int kInterpretedBudgetFactor = 100;

// TierEvent is a step of a module whose code is compiled twice.
struct TierEvent {
  engine::Tier tier = engine::Tier::kQuick;  // kQuick or kOptimized
  std::chrono::milliseconds took{0};         // from the beginning of load_module(), or of the second compilation
  std::string error{};                       // why there will be no such code, nor better; else empty
};

// LoadOptions say how a module is to be made ready. Everything has a default that suits a server.
struct LoadOptions {
  engine::EngineKind kind = engine::EngineKind::kAuto;
  std::string cache_dir{};  // private directory for AOT artifacts; empty: $XDG_CACHE_HOME/inlay or ~/.cache/inlay
  std::string compiler{};   // C compiler; empty: $INLAY_CC, else the first of cc, gcc, clang that is found
  std::string artifact{};   // an artifact of compile_module(); used, without a compiler, when it was made from this
                            // very module for this Inlay; else it is passed over
  int optimization = 2;     // -O level for the compiler, 0 to 3
  // Only for kAuto without an artifact, and with `optimization` above 0: the interpreter runs the module at once, and a
  // background thread of the module's compiles it twice at low priority, first to quick code and then to optimised
  // code, for the cache and for the instances that run. Each takes the new code at its next outermost call, with all
  // its state.
  bool tiering = true;
  // Called when quick code is in use, and again when optimised code is; or with an error when either could not be made.
  // By the background thread, which must not be made to release the module, or by load_module() for quick code that was
  // in the cache. Not called for optimised code that was in the cache, or for code that is compiled once.
  std::function<void(const TierEvent&)> on_tier{};
  // Called by load_module() before it starts a compiler for whose end it waits.
  std::function<void()> on_compile{};
  // For the end of the program. load_module() gives up with kUnavailable, what runs in the background ends without a
  // TierEvent, and calls of a module that tiers interpret end with a trap, kHost, as soon as the interpreter looks.
  std::stop_token stop{};
};

// load_module validates `bytes`, which need not live on afterwards, and makes the module ready to instantiate. Any
// thread. Without tiering and without an artifact it takes as long as the compiler does: seconds, of a large module
// minutes. Errors:
//   kInvalidArgument    not WebAssembly, or does not validate; the message has wabt's text and the offset
//   kUnsupported        a feature that no engine has, or that kAot lacks
//   kUnavailable        kAot without compiler and artifact, or the compiler failed; or `stop` was requested
//   kResourceExhausted  it declares more than there is memory for
//   kFailedPrecondition, kIo    kAot: the cache directory cannot be used
// With kAuto only the first two are errors, a requested stop, and a lack of memory for the interpreter, too: for any
// other reason the interpreter runs the module.
Result<std::shared_ptr<engine::Module>> load_module(std::span<const uint8_t> bytes, const LoadOptions& options);

// compile_module translates and compiles `bytes` ahead of time into the file `output`, an artifact for
// LoadOptions::artifact and engine::Module::open(). It runs where there is no compiler and no wabt
// (engine::Module::open()), on machines of the same architecture with the same version of Inlay. It is a shared object
// whose code runs in this process: keep it as safe as the program. Written under a temporary name and renamed, so that
// there is never half a file. Of `options` the compiler, the optimisation and `stop` count. Errors: as load_module()'s
// with kAot; of `output` kInvalidArgument if it is empty, kFailedPrecondition if it is there and no file, kIo if it
// cannot be written.
Result<> compile_module(std::span<const uint8_t> bytes, const LoadOptions& options, const std::string& output);

// wabt_version: of the wabt that this was built with, such as "1.0.32".
std::string_view wabt_version();

}  // namespace inlay::compiler
