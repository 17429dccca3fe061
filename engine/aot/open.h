// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/aot/code.h"
#include "engine/description.h"

namespace inlay::engine::aot {

// Opened is an artifact's code, and what the module is that it was made from.
struct Opened {
  std::unique_ptr<Code> code;
  Description description;
};

// Checks the artifact (check_artifact()) and loads it. Thread-safe. Errors: as check_artifact()'s; kInvalidArgument if
// it does not hold what its trailer says; kUnavailable if dlopen() refuses it.
Result<Opened> open_artifact(const std::string& path, std::string_view sha256);

}  // namespace inlay::engine::aot
