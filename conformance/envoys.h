// SPDX-License-Identifier: Apache-2.0
#pragma once

// The versions of Envoy that Inlay is compared with, and where they are on this machine.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tester/envoys.h"

namespace inlay::conformance {

using tester::Envoy;
using tester::version_of;

// Those of scripts/pins, in its order: the first is the one that `make test` takes.
std::vector<std::string> pinned_envoys();

// The version that `make test` takes: what the variable ENVOY names has one of its own; else the first of
// pinned_envoys().
std::string tested_envoy();

// build/envoy/VERSION/envoy, which scripts/fetch_envoy puts there, or what the variable ENVOY names, if it says that it
// is of that version. Errors: kNotFound with the reason why there is none.
Result<Envoy> find_envoy(std::string_view version);

}  // namespace inlay::conformance
