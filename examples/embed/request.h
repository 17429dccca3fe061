// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "engine/engine.h"

// Runs a proxy-wasm module on one request, prints what it made of it, and returns the program's exit status: 0, or 1 if
// the plugin does not start, which is said on standard error.
int run_on_one_request(std::shared_ptr<inlay::engine::Module> module, const std::string& configuration);
