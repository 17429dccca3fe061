// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs cases: each on both engines, in process and on sockets.

#include <string>
#include <vector>

#include "conformance/case.h"
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

}  // namespace inlay::conformance
