// SPDX-License-Identifier: Apache-2.0
#pragma once

// The versions of Envoy that Inlay is compared with, and where they are on this machine.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace inlay::conformance {

struct Envoy {
  std::string version;  // "1.40.0"
  std::string binary;   // its path
};

// Those of scripts/pins, in its order: the first is the one that `make test` takes.
std::vector<std::string> pinned_envoys();

// The version that `make test` takes: what the variable ENVOY names has one of its own; else the first of
// pinned_envoys().
std::string tested_envoy();

// The version that a binary says it is (`--version`): "1.40.0", of a development version of it too; empty where it says
// none.
std::string version_of(const std::string& binary);

// build/envoy/VERSION/envoy, which scripts/fetch_envoy puts there, or what the variable ENVOY names, if it says that it
// is of that version. Errors: kNotFound with the reason why there is none.
Result<Envoy> find_envoy(std::string_view version);

}  // namespace inlay::conformance
