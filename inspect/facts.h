// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a module is, needs and costs: the facts that `inlay inspect` shows, as data.
//
//     std::string sum_up(std::span<const uint8_t> module) {
//       const Result<Facts> facts = examine(module);
//       if (!facts) return facts.error().to_string();  // not WebAssembly
//       if (!facts->runs()) return "it does not run here: " + facts->faults.front();
//       return "ABI " + facts->abi_version + ", " + std::to_string(facts->size) + " bytes";
//     }
//
// Plain data that owns all that it shows. The module is read and validated, not compiled or run;
// docs/reference/inspect.md has what each fact means for its reader. Sizes are bytes.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/functions.h"
#include "inspect/layout.h"

namespace inlay::inspect {

// UsedFunction is an import.
struct UsedFunction {
  std::string module;
  std::string name;
  std::string type;  // "(i32) -> i32"; "memory" and the like for what is no function
  std::string family;
  host::Support support = host::Support::kFull;
};

// ExportedCallback is an export that proxies call, by its name.
struct ExportedCallback {
  std::string name;
  std::string type;
  std::string family;
  bool called = false;  // by this host
};

// NamedFunction is a function that the module defines.
struct NamedFunction {
  uint32_t index = 0;  // in the module's list of functions, imports first
  std::string name;    // of the name section, else an export's; empty if neither has one
  size_t size = 0;
};

// StripSavings is what the custom sections take, to the byte: a strip leaves them out and changes nothing else.
struct StripSavings {
  size_t names = 0;
  size_t debug = 0;
  size_t producers = 0;
  size_t target_features = 0;
  size_t other = 0;
  size_t total() const { return names + debug + producers + target_features + other; }
};

// Facts are those of one module.
struct Facts {
  size_t size = 0;
  std::string sha256;               // hexadecimal
  std::string abi_version;          // "0.2.1"; empty: no known one
  std::vector<std::string> faults;  // why this host cannot run it, each a clause about "it"
  std::vector<std::string> entry;   // exports in the order in which a host calls them; empty: there is none
  std::string allocator;            // empty: there is none
  std::string not_for_aot;          // why it cannot be compiled ahead of time; empty: it can
  std::vector<UsedFunction> functions;
  std::vector<ExportedCallback> callbacks;
  std::vector<std::string> unknown_exports;  // proxy_ functions that no known ABI has
  std::vector<std::string> other_exports;    // what a proxy has no interest in
  std::vector<std::string> capabilities;     // for allowed_capabilities, sorted
  std::vector<NamedFunction> largest;        // all functions that it defines, largest first
  size_t code_size = 0;                      // of all of them
  StripSavings strip;
  Layout layout;

  // Whether this host runs it.
  bool runs() const { return faults.empty(); }
};

// examine: any thread; takes memory in proportion to the module. kInvalidArgument if the bytes are not a valid
// WebAssembly module, with the offset. A valid one that is not a proxy-wasm module is not an error: Facts::faults says
// so.
Result<Facts> examine(std::span<const uint8_t> module);

}  // namespace inlay::inspect
