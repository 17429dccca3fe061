// SPDX-License-Identifier: Apache-2.0
#pragma once

// A case's filters in an Envoy that loads Inlay as a dynamic module (docs/reference/dynamic_module.md), in the place of
// its Wasm filter.

#include <string>

#include "base/result.h"
#include "tester/world.h"

namespace inlay::tester {

// Whether the module can run what the case has: HTTP filters alone.
bool fits_dynamic_module(const Case& c);

// An entry of http_filters. `file`: the module, whose artifact stands beside it under its name and ".aot". Metrics of
// guests have the names that the Wasm filter gives them. Errors: kInvalidArgument for a field that the module has not.
Result<std::string> dynamic_module_yaml(const Run& run, const PluginCase& plugin, const std::string& file);

}  // namespace inlay::tester
