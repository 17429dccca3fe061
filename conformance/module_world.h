// SPDX-License-Identifier: Apache-2.0
#pragma once

// The cases in an Envoy that runs their guests in Inlay as a dynamic module, held against what the same Envoy does with
// its own Wasm filter. What is different is recorded by case, with the reason, in conformance/module_differences.

#include <string>
#include <string_view>

#include "base/result.h"
#include "conformance/differences.h"
#include "conformance/envoys.h"
#include "conformance/names.h"

namespace inlay::conformance {

// The file with the differences.
inline constexpr const char* kModuleDifferences = "module_differences";
// The difference that a case under it shows in some runs, and not in others.
inline constexpr const char* kByChance = "threads";

// Whether that Envoy can: 1.38 or later.
bool loads_modules(std::string_view version);
// Whether the case is one of HTTP filters that runs in Envoy in that way (envoys.h).
bool runs_as_module(const Case& c, std::string_view way);

// `of_wasm_filter`: conformance/differences, what the Wasm filter does otherwise than the case says. Errors: kNotFound
// if the build has no libinlay.so; what could not be done.
Result<std::string> run_as_module(const Case& c, const Envoy& envoy, std::string_view way,
                                  const Differences& of_wasm_filter);

// Whether a step of a transcript, or a whole one, is what Envoy's Wasm filter shows; aside of the words of the host's
// own log, and of what the guest's instance on Envoy's main thread does, which a module has not: its lines of the log
// may stand once more in front of the others'. `forwarded_for`: aside of the x-forwarded-for, too, that Envoy gives
// each call-out of a module.
bool agrees_as_module(const std::string& expected, const std::string& seen, bool forwarded_for);

// ModuleVerdict is what one case has come to.
struct ModuleVerdict {
  enum class Kind : uint8_t {
    kAgrees,        // to the byte
    kAside,         // but for the words of the log and the main thread's instance
    kForwardedFor,  // and for x-forwarded-for of call-outs
    kAsCase,        // the Wasm filter does otherwise than the case says, and the module does what it says
    kRecorded,      // a difference has it
    kUnexplained,   // none has, or it is one without need
  } kind = Kind::kUnexplained;
  std::string text{};  // what differs
};
// `differences`: kModuleDifferences.
ModuleVerdict judge_as_module(const Case& c, std::string_view way, const Differences& of_wasm_filter,
                              const Differences& differences, const std::string& transcript);

}  // namespace inlay::conformance
