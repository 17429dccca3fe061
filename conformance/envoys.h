// SPDX-License-Identifier: Apache-2.0
#pragma once

// The versions of Envoy that Inlay is compared with, where they are on this machine, and the ways in which cases run in
// them.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conformance/names.h"
#include "tester/envoys.h"

namespace inlay::conformance {

using tester::Envoy;
using tester::version_of;

// Those of scripts/pins, in its order: the first is the one that `make test` takes.
std::vector<std::string> pinned_envoys();

// The version that `make test` takes: what the variable ENVOY names has one of its own; else the first of
// pinned_envoys().
std::string tested_envoy();

// The ways in which cases run in Envoys, by their names: every pinned version by HTTP/1, "1.39.3", and behind the first
// one the same by HTTP/2, "1.40.0/http2". What is recorded of an Envoy is recorded of a way.
std::vector<std::string> envoy_ways();
Protocol protocol_of(std::string_view way);
std::string_view version_of_way(std::string_view way);  // "1.40.0"

// build/envoy/VERSION/envoy, which scripts/fetch_envoy puts there, or what the variable ENVOY names, if it says that it
// is of that version. Errors: kNotFound with the reason why there is none.
Result<Envoy> find_envoy(std::string_view version);

}  // namespace inlay::conformance
