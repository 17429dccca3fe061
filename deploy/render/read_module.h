// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"

namespace inlay::deploy {

// Reads a module and makes sure that it is a proxy-wasm module, without compiling it. The error says what it is instead
// and what would be right.
Result<std::string> read_module(const std::string& path);

}  // namespace inlay::deploy
