// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs cases: each on both engines, in process and on sockets; and in Envoys.

#include <string>
#include <vector>

#include "base/result.h"
#include "conformance/differences.h"
#include "conformance/envoys.h"
#include "conformance/names.h"
#include "engine/engine.h"

namespace inlay::conformance {

// Variant is one way to run a case.
struct Variant {
  engine::EngineKind engine;
  Transport transport;
  std::string name() const;  // "aot, in process"
};
// All four, those in process first, so that a module is compiled and in the cache before a server loads it.
const std::vector<Variant>& variants();
bool takes(const Case& c, const Variant& variant);

struct Outcome {
  bool passed = false;
  std::string seen;  // the transcript
  std::string text;  // why it failed: a difference, or what could not be done
};

// Runs the case and compares with its expectation.
Outcome run(const Case& c, const Variant& variant);
// Runs it without an expectation: for a new one.
Outcome observe(const Case& c, const Variant& variant);

// In an Envoy. `expected`: false for a run that finds out what it shows; a step is then over when nothing happens.
// Errors: what could not be done.
Result<std::string> run_in_envoy(const Case& c, const Envoy& envoy, const Differences& differences, bool expected);
bool runs_in_envoy(const Case& c);

}  // namespace inlay::conformance
