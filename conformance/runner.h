// SPDX-License-Identifier: Apache-2.0
#pragma once

// Runs cases: each on both engines, in process and on sockets, and on sockets by HTTP/2; and in Envoys.

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
  Protocol protocol = Protocol::kHttp1;
  std::string name() const;  // "aot, in process", "interpreter, HTTP/2"
};
// Both engines in process, so that a module is compiled and in the cache before a server loads it; both on sockets; and
// there by HTTP/2 with one, since an engine knows no protocol.
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

// In an Envoy, in a way (envoys.h) that the case takes. `expected`: false for a run that finds out what it shows; a
// step is then over when nothing happens. Errors: what could not be done.
Result<std::string> run_in_envoy(const Case& c, const Envoy& envoy, std::string_view way,
                                 const Differences& differences, bool expected);
bool runs_in_envoy(const Case& c, std::string_view way);

}  // namespace inlay::conformance
