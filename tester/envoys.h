// SPDX-License-Identifier: Apache-2.0
#pragma once

// Envoys on this machine.

#include <string>
#include <string_view>

#include "base/result.h"

namespace inlay::tester {

struct Envoy {
  std::string version;  // "1.40.0"
  std::string binary;   // its path
};

// The version that a binary says it is (`--version`): "1.40.0", of a development version of it too; empty where it says
// none.
std::string version_of(const std::string& binary);

// What `--against` names: a path, or "envoy@1.40.0", which is looked for in the variable ENVOY, at
// build/envoy/1.40.0/envoy below the current folder, as `envoy` in PATH, and among what was fetched before; else it is
// fetched (fetch_envoy.h). Errors: kNotFound with where it was looked for, and why it was not fetched; kInvalidArgument
// for what names none; the other ones of fetch_envoy().
Result<Envoy> find_envoy(std::string_view wanted);

}  // namespace inlay::tester
