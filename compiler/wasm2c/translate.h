// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "compiler/parse.h"
#include "engine/description.h"

namespace inlay::compiler {

// Translation is all that an artifact is made from: a module's C text, and its description (write_description()).
struct Translation {
  GeneratedC c;
  std::string shim;
  std::string description;
};

// The C of a module that has passed parse(), with not_for_aot empty, its shim and its description. kUnsupported: the C
// is of a layout that is not known; kResourceExhausted: there is not enough memory; kUnavailable: `stop` came first.
Result<Translation> translate(std::span<const uint8_t> bytes, const engine::Description& description,
                              const std::string& key, const std::stop_token& stop = {});

}  // namespace inlay::compiler
