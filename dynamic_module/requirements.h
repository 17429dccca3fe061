// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace inlay::dynamic_module {

// The version of the ABI to tell the Envoy around us, so that it has nothing to warn of.
const char* abi_version();

// Why this Envoy is none to run in, as a sentence; empty if it is one. The functions that are needed are asked for by
// name: an Envoy that is newer than those that were tried runs as long as it has them.
std::string missing_in_envoy();

}  // namespace inlay::dynamic_module
