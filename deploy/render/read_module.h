// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace inlay::deploy {

// Reads a module and makes sure that it is a proxy-wasm module, without compiling it. The error says what it is instead
// and what would be right.
Result<std::string> read_module(const std::string& path);

// In hexadecimal digits.
std::string sha256_of(std::string_view bytes);

}  // namespace inlay::deploy
