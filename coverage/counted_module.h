// SPDX-License-Identifier: Apache-2.0
#pragma once

// CountedModule: a module with counters in its functions, and what has been called in all of its runs.
//
//     INLAY_TRY(const auto counted, CountedModule::make("build/gate.wasm", bytes));
//     const auto recorder = counted->recorder();
//     run(counted->module(recorder));          // all of its instances have ended when this returns
//     counted->add(*recorder);
//     std::cout << text({counted->coverage()});

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/recorder.h"
#include "coverage/source_lines.h"
#include "engine/engine.h"

namespace inlay::coverage {

// Something that can be called, and how often it was.
struct Counted {
  std::string name;
  uint64_t calls = 0;
};

// A line of source, how often it ran, and the function that begins there.
struct CountedLine {
  uint32_t line = 0;  // from 1
  uint64_t times = 0;
  std::string function{};  // empty: none
};

struct CountedFile {
  std::string path;
  std::vector<CountedLine> lines;  // those that the module has code of, by their numbers
};

struct ModuleCoverage {
  std::string name;                  // what make() was given
  std::vector<Counted> callbacks;    // exports that proxies call: "proxy_on_request_headers"
  std::vector<Counted> imports;      // host functions: "env.proxy_log"
  bool has_names = true;             // a name section
  std::vector<Counted> functions;    // those that the module defines, by their names; "function 12" of one without
  std::vector<CountedFile> files{};  // of sources, where the module has DWARF (source_lines.h), by their paths
};

class CountedModule {
 public:
  // `name`: what reports call it. Errors: those of compiler::load_module().
  static Result<std::shared_ptr<CountedModule>> make(std::string name, std::span<const uint8_t> bytes);

  // For one run, in one thread.
  std::shared_ptr<compiler::Recorder> recorder() const;
  std::shared_ptr<engine::Module> module(std::shared_ptr<compiler::Recorder> recorder) const {
    return code_->module(std::move(recorder));
  }

  // Counts what a recorder has, once the instances that wrote into it have ended. Any thread.
  void add(const compiler::Recorder& recorder);
  ModuleCoverage coverage() const;

 private:
  CountedModule() = default;
  void name_functions();
  // The places of counters, for functions and lines; none twice.
  std::vector<size_t> choose_places(const std::vector<size_t>& entries, const std::vector<SourceFile>& sources);

  std::shared_ptr<const compiler::RecordableCode> code_;
  std::vector<size_t> callbacks_;           // which exports
  std::vector<size_t> function_counters_;   // of each function
  std::vector<std::vector<size_t>> lines_;  // the counters of each line, file by file
  size_t counters_ = 0;
  mutable std::mutex mutex_;
  ModuleCoverage coverage_;
};

}  // namespace inlay::coverage
