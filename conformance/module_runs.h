// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "conformance/module_world.h"

namespace inlay::conformance {

struct ModuleRunOptions {
  bool update = false;  // write down what is unexplained, as `unexplained` until somebody says why
  bool show = false;    // print what is recorded, too
};

// Runs the chosen cases, which runs_as_module() takes (module_world.h), in that Envoy, which has a Wasm filter, and
// prints what is unexplained. `all`: all cases of the tree, by which records are checked. Returns whether all is
// explained; adds the count to `summary`.
bool run_as_modules(const std::vector<const Case*>& chosen, const std::vector<Case>& all, const Envoy& envoy,
                    const std::string& way, ModuleRunOptions options, std::string& summary);

}  // namespace inlay::conformance
