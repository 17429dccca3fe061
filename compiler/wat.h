// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace inlay::compiler {

// wat_to_wasm assembles WebAssembly's text format, with every feature on that an engine here takes; for tests and
// small tools. kInvalidArgument with the line and column of the first error.
Result<std::vector<uint8_t>> wat_to_wasm(std::string_view text);

}  // namespace inlay::compiler
