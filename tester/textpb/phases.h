// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs a test of suite_file.h: the callbacks of one stream, one after the other, on the real host, with nothing around
// it: no filter chain, no codec, and a clock that stands still.
//
//     const auto failures = run_phases(suite, test, {module, configuration, 10s});
//     if (!failures.empty()) std::cout << failures[0].what;   // "request_headers: there is no header `x-checked`"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "tester/textpb/suite_file.h"

namespace inlay::tester::textpb {

struct PhaseFailure {
  size_t line = 0;   // of the test file
  std::string what;  // "request_headers: ..."
  std::string seen;  // what was there instead: the log, the headers, the body
};

struct Plugin {
  std::shared_ptr<engine::Module> module;
  std::string configuration;
  std::chrono::milliseconds call_budget;
};

// What is not as it has to be. A test ends at the phase in which the guest traps.
std::vector<PhaseFailure> run_phases(const TestSuite& suite, const PhaseTest& test, const Plugin& plugin);

}  // namespace inlay::tester::textpb
